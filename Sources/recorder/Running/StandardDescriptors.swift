import Glibc

/// The descriptors 0 to 2, which belong to standard input, output and error.
enum StandardDescriptors {
    /// Occupies those that are closed, so that no file or connection gets one and has results written into it.
    ///
    /// Call it before anything is opened. The descriptors stay unusable: reading from the first and writing to the
    /// others fails, as it does where they are closed.
    static func reserve() {
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(descriptor, F_GETFD) == -1 {
            // `open` takes the lowest free number, and all below are in use.
            _ = unsafe open("/dev/null", mode)
        }
    }
}
