# What the C libraries that crates build with CMake may see of the machine: libraries of the system's that they would find by
# chance stay out.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
foreach(package IN ITEMS JPEG Brotli)
  set(CMAKE_DISABLE_FIND_PACKAGE_${package} ON)
endforeach()
