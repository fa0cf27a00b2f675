import Foundation
import Glibc
import Schema
import Synchronization

/// A lock on a file that the system takes away when its holder ends, however it ends (`flock(2)`).
final class FileLock: Sendable {
    /// The open file; nil once it is released.
    private let file: Mutex<Int32?>

    private init(file: Int32) { self.file = Mutex(file) }

    /// Takes the lock, or tells who has it.
    ///
    /// - Parameter path: The file; it is made if absent, and holds the holder's process id.
    /// - Returns: The lock, held until it is released or deallocated.
    /// - Throws: ``OperationsError`` with code `.alreadyRunning` if another has it, `.invalidDirectory` if the file
    ///   cannot be opened.
    static func acquire(_ path: String) throws(OperationsError) -> FileLock {
        let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            throw OperationsError(
                .invalidDirectory,
                "cannot open \(path): \(SystemMessage.of(errno)); give a directory that belongs to you"
            )
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            let holder = (try? String(contentsOfFile: path, encoding: .utf8)).flatMap { Int($0) }
            throw OperationsError(
                .alreadyRunning,
                "the server in \(URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)) is already run by "
                    + (holder.map { "process \($0)" } ?? "another process")
                    + ": stop that one first, or give another directory"
            )
        }
        let holder = Array(String(getpid()).utf8)
        _ = ftruncate(file, 0)
        _ = unsafe pwrite(file, holder, holder.count, 0)
        return FileLock(file: file)
    }

    /// Releases the lock, even if a process that is being started still has a copy of the open file.
    func release() {
        file.withLock { file in
            if let open = file {
                flock(open, LOCK_UN)
                close(open)
            }
            file = nil
        }
    }

    deinit { release() }
}
