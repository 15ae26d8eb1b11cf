# Which codecs libheif may link, whatever else the machine has installed. Every codec that Pictor uses for another
# purpose (libaom, libjpeg-turbo) would otherwise be linked a second time from the system, with the same symbol names.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
foreach(package IN ITEMS kvazaar UVG266 vvdec vvenc X264 OpenH264 AOM SvtEnc RAV1E JPEG OpenJPEG OPENJPH libsharpyuv Brotli)
  set(CMAKE_DISABLE_FIND_PACKAGE_${package} ON)
endforeach()
if("$ENV{PICTOR_HEVC}" STREQUAL "none")
  set(CMAKE_DISABLE_FIND_PACKAGE_X265 ON)
endif()
