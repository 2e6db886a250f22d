#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| webox_fuzz::when_and_who(data));
