internal import Dispatch
internal import FoundationEssentials
internal import Glibc

/// An open file, which is closed when its last reference goes.
final class ObjectFile: Sendable {
    /// The queue for file operations, which block.
    private static let queue = DispatchQueue(label: "recorder.objects", attributes: .concurrent)

    private let descriptor: Int32
    private let path: String

    /// - Throws: ``CacheError`` with `.notFound` or `.refused`.
    init(_ path: String, _ flags: Int32) throws(CacheError) {
        descriptor = unsafe open(path, flags | O_CLOEXEC, 0o600)
        self.path = path
        guard descriptor >= 0 else { throw Self.failure("\(path) cannot be opened") }
    }

    deinit { close(descriptor) }

    /// Runs blocking work where it blocks no other task.
    static func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }

    /// The error of the last system call.
    ///
    /// Source: Linux manual, errno(3).
    static func failure(_ what: String) -> CacheError {
        let number = errno
        let reason = unsafe String(cString: strerror(number))
        return CacheError(number == ENOENT || number == ENOTDIR ? .notFound : .refused, "\(what): \(reason)")
    }

    /// How many bytes the file has.
    var size: Int {
        get throws(CacheError) {
            let end = lseek(descriptor, 0, SEEK_END)
            guard end >= 0 else { throw Self.failure("the size of \(path) is not known") }
            return end
        }
    }

    /// Takes the lock that marks the file as being worked on.
    ///
    /// - Returns: `false` if somebody else holds it.
    func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    /// Writes all bytes at an offset.
    func write(_ bytes: [UInt8], at offset: Int) throws(CacheError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe pwrite(descriptor, buffer.baseAddress?.advanced(by: done), bytes.count - done, offset + done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("\(path) cannot be written") }
            done += count
        }
    }

    /// Reads at most `limit` bytes from an offset; none at the end.
    func read(_ limit: Int, at offset: Int) throws(CacheError) -> [UInt8] {
        var failed = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            var result = unsafe pread(descriptor, buffer.baseAddress, limit, offset)
            while result < 0, errno == EINTR { result = unsafe pread(descriptor, buffer.baseAddress, limit, offset) }
            failed = result < 0
            count = max(0, result)
        }
        guard !failed else { throw Self.failure("\(path) cannot be read") }
        return bytes
    }

    /// Syncs what was written to disk.
    func sync() throws(CacheError) {
        guard fsync(descriptor) == 0 else { throw Self.failure("\(path) cannot be written to disk") }
    }
}
