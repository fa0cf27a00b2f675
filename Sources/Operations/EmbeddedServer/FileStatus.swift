import Glibc

/// What `stat(2)` tells about a file.
struct FileStatus {
    let user: uid_t
    let group: gid_t
    let mode: mode_t

    /// Nil if there is no such file.
    init?(path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        user = status.st_uid
        group = status.st_gid
        mode = status.st_mode
    }

    /// The owner's name, or its number if it has none.
    var userName: String {
        if let entry = unsafe getpwuid(user), let name = unsafe entry.pointee.pw_name {
            return unsafe "user \(String(cString: name))"
        }
        return "user number \(user)"
    }
}
