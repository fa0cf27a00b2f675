import Foundation
import Glibc
import Schema

/// The system user that runs the server: PostgreSQL refuses to run as root.
package struct ServerAccount: Sendable, Equatable {
    /// The ids of the user and of its primary group.
    let user: uid_t
    let group: gid_t
    /// Whether it is the user of this very process.
    var isOurs: Bool { user == geteuid() }

    /// Chooses the user: ourselves, unless we are root; then the data's owner, or else `postgres` or `nobody`.
    ///
    /// - Parameter data: The data directory, which need not exist.
    /// - Throws: ``OperationsError`` with code `.invalidDirectory` if the data belongs to another user and we are not
    ///   root, or if there is no ordinary user to run as.
    package static func choose(data: String) throws(OperationsError) -> ServerAccount {
        let owner = FileStatus(path: data)
        guard geteuid() == 0 else {
            if let owner, owner.user != geteuid() {
                throw OperationsError(
                    .invalidDirectory,
                    "\(data) belongs to \(owner.userName), not to you: give another directory, or run as that user"
                )
            }
            return ServerAccount(user: geteuid(), group: getegid())
        }
        if let owner, owner.user != 0 { return ServerAccount(user: owner.user, group: owner.group) }
        for name in ["postgres", "nobody"] {
            if let entry = unsafe getpwnam(name) {
                return unsafe ServerAccount(user: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
            }
        }
        throw OperationsError(
            .invalidDirectory,
            "PostgreSQL refuses to run as root, and there is no user postgres or nobody: run as an ordinary user"
        )
    }

    /// Wraps a command so that it runs as this user.
    ///
    /// - Parameter deathSignal: What the kernel sends to the process when ours ends, however it ends; nil for nothing.
    package func command(_ command: [String], deathSignal: String? = nil) throws(OperationsError) -> [String] {
        let setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].first(where: FileManager.default.isExecutableFile(atPath:))
        guard let setpriv else {
            if isOurs { return command }
            throw OperationsError(
                .notInstalled,
                "setpriv (util-linux) is missing, without which root cannot start PostgreSQL: install it"
            )
        }
        var prefix = [setpriv]
        if !isOurs { prefix += ["--reuid=\(user)", "--regid=\(group)", "--clear-groups"] }
        if let deathSignal { prefix += ["--pdeathsig", deathSignal] }
        return prefix.count == 1 ? command : prefix + ["--"] + command
    }

    /// Gives a file or folder to this user.
    package func own(_ path: String) throws(OperationsError) {
        guard !isOurs, unsafe chown(path, user, group) != 0 else { return }
        throw OperationsError(.invalidDirectory, "cannot give \(path) away: \(SystemMessage.of(errno))")
    }

    /// Whether this user may pass through every folder that leads to a path. Access control lists are ignored.
    func canReach(_ path: String) -> Bool {
        var folder = URL(filePath: path).deletingLastPathComponent()
        while true {
            guard let status = FileStatus(path: folder.path(percentEncoded: false)) else { return false }
            let bit: mode_t = status.user == user ? 0o100 : status.group == group ? 0o010 : 0o001
            if status.mode & bit == 0 { return false }
            if folder.path(percentEncoded: false) == "/" { return true }
            folder.deleteLastPathComponent()
        }
    }
}
