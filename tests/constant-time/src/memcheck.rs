//! Valgrind's client requests: `VALGRIND_DO_CLIENT_REQUEST` of valgrind.h for x86-64 on Linux, with the requests of memcheck.h.
//! Outside of Valgrind they do nothing.
//!
//! Written out, because the crate for it (`crabgrind`) needs libclang and a C compiler to build four instructions.

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
compile_error!("the request is written for x86-64 on Linux only");

const RUNNING_ON_VALGRIND: usize = 0x1001;
const COUNT_ERRORS: usize = 0x1201;
const MEMCHECK: usize = (b'M' as usize) << 24 | (b'C' as usize) << 16;
const MAKE_MEM_UNDEFINED: usize = MEMCHECK + 1;
const MAKE_MEM_DEFINED: usize = MEMCHECK + 2;
const GET_VBITS: usize = MEMCHECK + 8;

fn request(request: usize, arguments: [usize; 3]) -> usize {
    let block = [request, arguments[0], arguments[1], arguments[2], 0, 0];
    let mut result = 0usize;
    // SAFETY: the rotations of rdi add up to 128 bits and rbx is exchanged with itself, so that a processor changes nothing but
    // flags. Valgrind knows the sequence, reads the six words at rax, and puts its answer into rdx.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") block.as_ptr(),
            inout("rdx") result,
            options(nostack),
        );
    }
    result
}

pub fn running() -> bool {
    request(RUNNING_ON_VALGRIND, [0; 3]) != 0
}

/// Reports so far, without those that a suppression stands for.
pub fn reports() -> usize {
    request(COUNT_ERRORS, [0; 3])
}

/// From here on, a jump or an address that depends on these bytes is reported.
pub fn mark_secret<T>(bytes: &mut [T]) {
    request(MAKE_MEM_UNDEFINED, [bytes.as_mut_ptr().expose_provenance(), size_of_val(bytes), 0]);
}

/// From here on it is not.
pub fn mark_public<T: ?Sized>(value: &mut T) {
    request(MAKE_MEM_DEFINED, [(&raw mut *value).cast::<u8>().expose_provenance(), size_of_val(value), 0]);
}

/// Whether each of these bytes depends on what was marked.
pub fn is_secret(bytes: &[u8]) -> bool {
    let mut marks = vec![0u8; bytes.len()];
    let arguments = [bytes.as_ptr().expose_provenance(), marks.as_mut_ptr().expose_provenance(), bytes.len()];
    request(GET_VBITS, arguments) == 1 && marks.iter().all(|marks| *marks != 0)
}
