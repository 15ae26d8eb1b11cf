//! What a worker may do once it is sealed: compute, and talk over the three descriptors that it was given.
//!
//! Layers, each useful without the others: no new privileges, no capabilities, limits of memory and files, landlock (no
//! file, no network), and a list of system calls outside of which everything is `EPERM`. Answering with an error rather
//! than a signal lets the codecs' probes of `/sys` and of scheduling fail softly, which they all survive.

use std::collections::BTreeMap;
use std::io;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, RestrictionStatus, Ruleset, RulesetAttr, RulesetStatus,
    Scope,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};
use seccompiler::{
    SeccompAction, SeccompCmpArgLen as Width, SeccompCmpOp as Op, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter_all_threads,
};
use serde::{Deserialize, Serialize};

/// CPU seconds of a worker's whole life: a backstop. The supervisor kills by the clock and recycles long before.
const CPU_SECONDS: u64 = 24 * 3600;
/// The largest file that a worker writes, which bounds the memory behind its output file: `RLIMIT_AS` does not.
const FILE_BYTES: u64 = 1 << 30;

/// Which layers hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SandboxReport {
    /// Every layer, in the order in which they were put on.
    pub layers: Vec<Layer>,
}

/// One layer of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// What it is: `landlock`, `seccomp`, ...
    pub name: String,
    /// Whether it holds.
    pub state: LayerState,
}

/// Whether a layer holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LayerState {
    /// All of it.
    Full,
    /// Its main part; the kernel is too old for this rest, which other layers cover.
    Partial(String),
    /// The kernel refused it.
    Refused(String),
}

impl SandboxReport {
    /// The layers that the kernel refused, each with the reason.
    pub fn refused(&self) -> impl Iterator<Item = (&str, &str)> {
        self.layers.iter().filter_map(|layer| match &layer.state {
            LayerState::Refused(why) => Some((layer.name.as_str(), why.as_str())),
            LayerState::Full | LayerState::Partial(_) => None,
        })
    }

    fn add(&mut self, name: &str, state: Result<LayerState, String>) {
        let state = state.unwrap_or_else(LayerState::Refused);
        self.layers.push(Layer { name: name.into(), state });
    }
}

/// Seals this process for good. `memory`: bytes of address space.
pub fn seal(memory: u64) -> SandboxReport {
    let mut report = SandboxReport::default();
    report.add("limits", limits(memory).map_err(|error| error.to_string()));
    report.add("no_new_privs", set_no_new_privs(true).map(|()| LayerState::Full).map_err(|error| error.to_string()));
    report.add("capabilities", drop_capabilities().map_err(|error| error.to_string()));
    report.add("landlock", landlock());
    report.add("seccomp", seccomp().map(|()| LayerState::Full).map_err(|error| error.to_string()));
    report
}

fn limits(memory: u64) -> io::Result<LayerState> {
    let set = |resource, value| setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) });
    set(Resource::As, memory)?;
    set(Resource::Core, 0)?;
    set(Resource::Nofile, 64)?;
    set(Resource::Fsize, memory.min(FILE_BYTES))?;
    set(Resource::Cpu, CPU_SECONDS)?;
    Ok(LayerState::Full)
}

/// Containers often run as root: without this a worker would keep root's powers.
fn drop_capabilities() -> io::Result<LayerState> {
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    Ok(LayerState::Full)
}

/// Denies every file and, where the kernel can, TCP, abstract sockets and signals to others.
fn landlock() -> Result<LayerState, String> {
    let attempt = || -> Result<RestrictionStatus, landlock::RulesetError> {
        Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(ABI::V5))?
            .handle_access(AccessNet::from_all(ABI::V5))?
            .scope(Scope::from_all(ABI::V6))?
            .create()?
            .restrict_self()
    };
    match attempt().map_err(|error| error.to_string())?.ruleset {
        RulesetStatus::FullyEnforced => Ok(LayerState::Full),
        RulesetStatus::PartiallyEnforced => {
            Ok(LayerState::Partial("this kernel's landlock is older than ABI 6; seccomp covers the rest".into()))
        }
        RulesetStatus::NotEnforced => Err("this kernel has no landlock, or it is off".into()),
    }
}

fn seccomp() -> Result<(), seccompiler::Error> {
    let arch = std::env::consts::ARCH.try_into()?;
    let refuse = |errno: i32| SeccompAction::Errno(errno.unsigned_abs());
    let allowed = SeccompFilter::new(allowed()?, refuse(libc::EPERM), SeccompAction::Allow, arch)?;
    // The arguments of clone3 lie in memory where no filter can read them. Without it the C library falls back to clone.
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let clone3 = SeccompFilter::new(clone3, SeccompAction::Allow, refuse(libc::ENOSYS), arch)?;
    let programs: [seccompiler::BpfProgram; 2] = [clone3.try_into()?, allowed.try_into()?];
    programs.iter().try_for_each(|program| apply_filter_all_threads(program))
}

/// System calls that a worker needs: for any argument with an empty list, else for those of the rules.
fn allowed() -> Result<BTreeMap<i64, Vec<SeccompRule>>, seccompiler::BackendError> {
    let mut calls: BTreeMap<i64, Vec<SeccompRule>> = [
        // the descriptors that it has
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_readv,
        libc::SYS_writev,
        libc::SYS_pread64,
        libc::SYS_pwrite64,
        libc::SYS_lseek,
        libc::SYS_ftruncate,
        libc::SYS_fstat,
        libc::SYS_close,
        // memory
        libc::SYS_brk,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        // threads and waiting
        libc::SYS_futex,
        libc::SYS_set_robust_list,
        libc::SYS_rseq,
        libc::SYS_set_tid_address,
        libc::SYS_gettid,
        libc::SYS_getpid,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_sched_getparam,
        libc::SYS_sched_getscheduler,
        libc::SYS_getcpu,
        libc::SYS_membarrier,
        libc::SYS_nanosleep,
        libc::SYS_clock_nanosleep,
        libc::SYS_restart_syscall,
        libc::SYS_clone3, // answered by the other filter
        // signals to itself
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        // facts
        libc::SYS_clock_gettime,
        libc::SYS_clock_getres,
        libc::SYS_gettimeofday,
        libc::SYS_getrandom,
        libc::SYS_getrusage,
        libc::SYS_sysinfo,
        libc::SYS_uname,
        // the end
        libc::SYS_exit,
        libc::SYS_exit_group,
    ]
    .into_iter()
    .map(|call| (call, Vec::new()))
    .collect();

    let when = |argument, operator, value: u64| {
        SeccompRule::new(vec![SeccompCondition::new(argument, Width::Qword, operator, value)?])
    };
    let bits = |flags: i32| u64::from(flags.unsigned_abs());
    // Threads, not processes.
    calls.insert(libc::SYS_clone, vec![when(0, Op::MaskedEq(bits(libc::CLONE_THREAD)), bits(libc::CLONE_THREAD))?]);
    // Memory that is data.
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        calls.insert(call, vec![when(2, Op::MaskedEq(bits(libc::PROT_EXEC)), 0)?]);
    }
    // abort() signals the thread that calls it.
    calls.insert(libc::SYS_tgkill, vec![when(0, Op::Eq, u64::from(std::process::id()))?]);
    // Names of threads and of memory.
    let names = [libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_SET_VMA];
    calls.insert(libc::SYS_prctl, names.into_iter().map(|name| when(0, Op::Eq, bits(name))).collect::<Result<_, _>>()?);
    // Limits may be read.
    calls.insert(libc::SYS_prlimit64, vec![when(2, Op::Eq, 0)?]);
    // Rust's descriptors ask whether they are open.
    let queries = [libc::F_GETFD, libc::F_GETFL];
    calls.insert(
        libc::SYS_fcntl,
        queries.into_iter().map(|query| when(1, Op::Eq, bits(query))).collect::<Result<_, _>>()?,
    );
    Ok(calls)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn what_was_refused_is_told_by_name() {
        let mut report = SandboxReport::default();
        report.add("seccomp", Ok(LayerState::Full));
        report.add("landlock", Err("no such call".into()));
        report.add("network", Ok(LayerState::Partial("old".into())));
        assert_eq!(report.refused().collect::<Vec<_>>(), [("landlock", "no such call")]);
    }

    #[test]
    fn the_list_has_no_way_out() {
        let calls = allowed().unwrap();
        for call in [
            libc::SYS_openat,
            libc::SYS_execve,
            libc::SYS_execveat,
            libc::SYS_socket,
            libc::SYS_connect,
            libc::SYS_sendmsg,
            libc::SYS_recvmsg,
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_kill,
            libc::SYS_memfd_create,
            libc::SYS_io_uring_setup,
            libc::SYS_ioctl,
        ] {
            assert!(!calls.contains_key(&call), "{call}");
        }
        for call in [libc::SYS_clone, libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_prlimit64, libc::SYS_tgkill] {
            assert!(!calls[&call].is_empty(), "{call} is free of rules");
        }
    }
}
