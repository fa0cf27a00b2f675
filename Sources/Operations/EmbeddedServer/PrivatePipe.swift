import Glibc

/// A pipe whose ends no child process inherits. The caller closes them.
package struct PrivatePipe {
    package let reader: Int32
    package let writer: Int32

    /// - Returns: `nil` if no pipe could be made; `errno` says why.
    package init?() {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (reader, writer) = (ends[0], ends[1])
    }
}
