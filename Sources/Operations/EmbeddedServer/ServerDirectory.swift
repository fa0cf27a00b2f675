import Foundation
import Glibc
import Logging
import Schema

/// The folder that an embedded server lives in, and the user that runs it.
///
/// ```
/// .recorder/lock         held while a process runs the server
/// .recorder/data         PostgreSQL's data directory, or a link to it
/// .recorder/socket       where the socket is, or a link to it
/// .recorder/server.log   what the server and its tools print
/// ```
///
/// Root's server runs as an ordinary user, which may not be able to reach the folder; and a socket's path has at most
/// 107 bytes (`unix(7)`). In such cases the data or the socket lives in a folder below `/var/tmp` or `/tmp`, with a
/// link to it here.
struct ServerDirectory: Sendable {
    /// The folder, as an absolute path without links.
    let path: String
    /// The user that runs the server.
    let account: ServerAccount
    /// Taken when the folder was prepared.
    let lock: FileLock
    /// The data directory itself, as an absolute path without links. It need not exist.
    let data: String
    /// Whether the data's folder was just made elsewhere, with no link to it yet.
    private let isNewPlace: Bool
    /// The log's path.
    var log: String { "\(path)/server.log" }

    /// Takes the lock, chooses the user, and finds the place of the data.
    ///
    /// - Throws: ``OperationsError`` with code `.alreadyRunning` or `.invalidDirectory`.
    static func prepare(_ directory: String, logger: Logger) throws(OperationsError) -> ServerDirectory {
        let given = URL(filePath: directory, directoryHint: .isDirectory)
        do {
            try FileManager.default.createDirectory(at: given, withIntermediateDirectories: true)
        } catch {
            throw OperationsError(
                .invalidDirectory,
                "cannot make the directory \(given.path(percentEncoded: false)): \(error.fileReason); give one that you may write to",
                cause: error
            )
        }
        let path = try realPath(given.path(percentEncoded: false))
        let lock = try FileLock.acquire("\(path)/lock")
        let account = try ServerAccount.choose(data: "\(path)/data")
        let place = try place(of: "\(path)/data", account: account, logger: logger)
        return ServerDirectory(path: path, account: account, lock: lock, data: place.data, isNewPlace: place.isNew)
    }

    private static func place(
        of link: String,
        account: ServerAccount,
        logger: Logger
    ) throws(OperationsError) -> (data: String, isNew: Bool) {
        if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: link) {
            let folder = URL(filePath: target).deletingLastPathComponent().path(percentEncoded: false)
            // If this program made the link, there was data where it leads.
            let isOwn = target.hasPrefix("\(temporary)/recorder-")
            guard FileStatus(path: isOwn ? target : folder) != nil else {
                throw OperationsError(
                    .invalidDirectory,
                    "the data of \(link) is gone: there is no \(target) any more. Put it back, or remove the link to start empty"
                )
            }
            return (try "\(realPath(folder))/\(URL(filePath: target).lastPathComponent)", false)
        }
        if account.canReach(link) { return (link, false) }
        guard FileStatus(path: link) == nil else {
            throw OperationsError(
                .invalidDirectory,
                "the user that runs PostgreSQL for root cannot reach \(link): give it the right to pass through the "
                    + "folders above, or give another directory"
            )
        }
        let place = try temporaryFolder(in: temporary, account: account) + "/data"
        logger.notice("PostgreSQL for root cannot reach \(link): its data is in \(place)")
        return (place, true)
    }

    /// Where data goes that cannot be here; this folder survives a reboot.
    private static let temporary = "/var/tmp"

    /// Links to the data, if it is elsewhere, once it is made: so a link whose target is missing means lost data.
    ///
    /// - Throws: ``OperationsError`` with code `.invalidDirectory`.
    func linkData() throws(OperationsError) {
        if isNewPlace { try Self.makeLink("\(path)/data", to: data) }
    }

    /// Removes the folder of data that could not be made, if it is elsewhere: no link leads there.
    func abandonData() {
        guard isNewPlace else { return }
        try? FileManager.default.removeItem(at: URL(filePath: data).deletingLastPathComponent())
    }

    /// Makes the folder for the socket, and removes what an earlier run left.
    ///
    /// - Parameter port: The number in the socket's name.
    func makeSocketDirectory(port: Int) throws(OperationsError) -> String {
        let folder = "\(path)/socket"
        removeSocketDirectory()
        // A comma would split the path in two, and a blank needs quotes, which not every client writes.
        let isPlain = folder.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"'\"\\,@%:".utf8.contains($0) }
        if isPlain, "\(folder)/.s.PGSQL.\(port)".utf8.count <= 107, account.canReach(folder) {
            guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST else {
                throw OperationsError(
                    .invalidDirectory,
                    "cannot make \(folder): \(SystemMessage.of(errno))"
                )
            }
            try account.own(folder)
            return folder
        }
        let place = try Self.temporaryFolder(in: "/tmp", account: account)
        try Self.makeLink(folder, to: place)
        return place
    }

    /// Removes the socket's folder, wherever it is.
    func removeSocketDirectory() {
        let folder = "\(path)/socket"
        if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: folder) {
            // Only what `temporaryFolder` made: somebody may have changed the link.
            if target.hasPrefix("/tmp/recorder-") { try? FileManager.default.removeItem(atPath: target) }
            unsafe unlink(folder)
        } else {
            try? FileManager.default.removeItem(atPath: folder)
        }
    }

    /// Removes the folder and the data, wherever it is.
    func remove() {
        if data != "\(path)/data" {
            try? FileManager.default.removeItem(at: URL(filePath: data).deletingLastPathComponent())
        }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Opens the log at its end, for its owner only: statements that fail stand in it with their values. A log above 8
    /// MiB is put aside first.
    ///
    /// - Returns: The open file, which the caller closes, and how much it holds already.
    func openLog() throws(OperationsError) -> (file: Int32, length: Int) {
        let length = ((try? FileManager.default.attributesOfItem(atPath: log)[.size]) as? Int) ?? 0
        if length > 8 << 20 { unsafe rename(log, "\(log).1") }
        let file = unsafe open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0, fchmod(file, 0o600) == 0 else {
            throw OperationsError(.invalidDirectory, "cannot write \(log): \(SystemMessage.of(errno))")
        }
        return (file, Int(lseek(file, 0, SEEK_END)))
    }

    /// The last lines that were written to the log since it had a length.
    func logTail(since length: Int, lines: Int = 12) -> String {
        guard let file = FileHandle(forReadingAtPath: log) else { return "" }
        defer { try? file.close() }
        guard (try? file.seek(toOffset: UInt64(length))) != nil, let data = try? file.readToEnd() else { return "" }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").suffix(lines)
            .map { "\n    \($0)" }.joined()
    }

    /// Makes a folder with a name that nobody can guess, owned by the server's user.
    private static func temporaryFolder(in parent: String, account: ServerAccount) throws(OperationsError) -> String {
        var template = Array("\(parent)/recorder-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) } != nil
        }
        guard made else {
            throw OperationsError(
                .invalidDirectory,
                "cannot make a folder in \(parent): \(SystemMessage.of(errno))"
            )
        }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try account.own(path)
        return path
    }

    private static func makeLink(_ link: String, to target: String) throws(OperationsError) {
        guard unsafe symlink(target, link) == 0 else {
            throw OperationsError(.invalidDirectory, "cannot make \(link): \(SystemMessage.of(errno))")
        }
    }

    private static func realPath(_ path: String) throws(OperationsError) -> String {
        guard let resolved = unsafe realpath(path, nil) else {
            throw OperationsError(.invalidDirectory, "cannot use \(path): \(SystemMessage.of(errno))")
        }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }
}
