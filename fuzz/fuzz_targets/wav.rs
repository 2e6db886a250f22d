#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| webox_fuzz::wav(data));
