import Glibc

/// The descriptors 0 to 2, which belong to standard input, output and error.
enum StandardDescriptors {
    /// Takes those that are closed, so that no file or connection gets one: results would be written into it.
    ///
    /// Called before anything is opened. They stay without use: reading the one and writing the others fails, as it
    /// does where they are closed.
    static func reserve() {
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(descriptor, F_GETFD) == -1 {
            // The lowest free number is given, and all below are taken.
            _ = unsafe open("/dev/null", mode)
        }
    }
}
