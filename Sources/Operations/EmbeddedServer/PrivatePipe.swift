import Glibc

/// A pipe whose ends no child process inherits. Whoever makes it closes them.
package struct PrivatePipe {
    package let reader: Int32
    package let writer: Int32

    /// - Returns: `nil` if the process has no file descriptor left: `errno` says so then.
    package init?() {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (reader, writer) = (ends[0], ends[1])
    }
}
