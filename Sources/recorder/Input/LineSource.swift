import Dispatch
import Glibc
import Schema

/// Reads lines from a file or standard input, a large chunk at a time.
///
/// Reading blocks, so it happens on a queue of its own, away from the cooperative pool.
struct LineSource: ~Copyable {
    /// The longest line, 16 MiB: longer than any event that could be accepted.
    static let longestLine = 16 << 20

    /// Complete lines that were read together.
    struct Chunk {
        /// The bytes, which hold the lines.
        let bytes: [UInt8]
        /// Where the lines are, without their ends.
        let lines: [Range<Int>]
        /// The number of the first line, from 1.
        let firstNumber: Int
        /// How many bytes of the source were read up to here.
        let offset: Int
    }

    /// What to call it in messages.
    let name: String
    /// How many bytes it has; nil if that is not known.
    let size: Int?
    /// Its absolute path without links; nil if it is not a regular file, and so cannot be read again.
    let path: String?
    private let descriptor: Int32
    private let stop: StopSignal?
    private let chunkSize: Int
    private let queue = DispatchQueue(label: "recorder.input")
    private var rest: [UInt8] = []
    private var lineNumber = 1
    private var offset = 0
    private var isAtEnd = false
    /// Whether the reading was stopped before the end.
    private(set) var wasStopped = false

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: The file's path; `-` is standard input.
    ///   - chunkSize: About how many bytes to read together.
    ///   - stop: Ends the reading early.
    /// - Throws: ``CommandError`` with code `.file`.
    init(path: String, chunkSize: Int = 1 << 20, stop: StopSignal? = nil) throws(CommandError) {
        self.chunkSize = chunkSize
        self.stop = stop
        guard path != "-" else {
            (name, size, self.path, descriptor) = ("standard input", nil, nil, STDIN_FILENO)
            return
        }
        // A named pipe opens at once, even without a writer: only a read waits for one, and that wait can be ended.
        let opened = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard opened >= 0 else {
            throw CommandError(.file, "\(path) cannot be opened: \(SystemMessage.of(errno))")
        }
        var status = stat()
        let isFile = unsafe fstat(opened, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        (name, size, descriptor) = (path, isFile ? Int(status.st_size) : nil, opened)
        self.path = isFile ? Self.absolutePath(of: path) : nil
    }

    /// Checks that a file can be read, without opening it: to open and close a pipe would take it from its writer.
    ///
    /// - Throws: ``CommandError`` with code `.file`.
    static func check(path: String) throws(CommandError) {
        guard path != "-" else { return }
        var status = stat()
        guard unsafe stat(path, &status) == 0, unsafe access(path, R_OK) == 0 else {
            throw CommandError(.file, "\(path) cannot be opened: \(SystemMessage.of(errno))")
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw CommandError(.file, "\(path) is a folder: name the files in it")
        }
    }

    private static func absolutePath(of path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    deinit {
        if descriptor != STDIN_FILENO { close(descriptor) }
    }

    /// The next complete lines; the last line counts even without a line end.
    ///
    /// Waits only for the first of them: lines that come slowly are returned as they come.
    ///
    /// - Returns: At least one line; nil at the end, or when the reading was stopped.
    /// - Throws: ``CommandError`` with code `.file` if reading fails, `.input` if a line is too long.
    mutating func next() async throws(CommandError) -> Chunk? {
        var bytes = rest
        rest = []
        var searched = 0
        while !isAtEnd {
            guard let count = try await read(into: &bytes) else {
                wasStopped = true
                return nil
            }
            isAtEnd = count == 0
            if lineNumber == 1, let form = InputForm(bytes) {
                throw CommandError(.input, "\(name) \(form.reason(from: path))")
            }
            guard let end = bytes[searched...].lastIndex(of: 0x0A) else {
                searched = bytes.count
                guard bytes.count <= Self.longestLine else {
                    throw CommandError(.input, "\(name):\(lineNumber): the line is longer than 16 MiB: no event is")
                }
                continue
            }
            rest = Array(bytes[(end + 1)...])
            bytes.removeSubrange((end + 1)...)
            break
        }
        guard !bytes.isEmpty else { return nil }
        let lines = Self.lines(of: bytes)
        defer { lineNumber += lines.count }
        return Chunk(bytes: bytes, lines: lines, firstNumber: lineNumber, offset: offset - rest.count)
    }

    private static func lines(of bytes: [UInt8]) -> [Range<Int>] {
        var lines: [Range<Int>] = []
        var start = 0
        while start < bytes.count {
            let end = bytes.firstIndex(of: 0x0A, from: start)
            lines.append(start..<end)
            start = end + 1
        }
        return lines
    }

    /// - Returns: How many bytes there were, 0 at the end; nil if the reading was stopped.
    private mutating func read(into bytes: inout [UInt8]) async throws(CommandError) -> Int? {
        let (descriptor, chunkSize, stop) = (descriptor, chunkSize, stop)
        let reading = await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(returning: Self.read(descriptor, atMost: chunkSize, until: stop))
            }
        }
        switch reading {
        case .stopped: return nil
        case .failed(let failure):
            throw CommandError(.file, "\(name) cannot be read: \(SystemMessage.of(failure))")
        case .bytes(let read):
            offset += read.count
            if bytes.isEmpty { bytes = read } else { bytes.append(contentsOf: read) }
            return read.count
        }
    }

    /// How a read ended.
    private enum Reading: Sendable {
        case bytes([UInt8])
        case failed(Int32)
        case stopped
    }

    /// Waits for input, or to be stopped. Blocks.
    private static func read(_ descriptor: Int32, atMost size: Int, until stop: StopSignal?) -> Reading {
        while true {
            // `poll` ignores a negative descriptor.
            var waiting = (
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stop?.descriptor ?? -1, events: Int16(POLLIN), revents: 0)
            )
            _ = unsafe withUnsafeMutableBytes(of: &waiting) { bytes in
                unsafe poll(bytes.assumingMemoryBound(to: pollfd.self).baseAddress, 2, -1)
            }
            if stop?.isRaised == true { return .stopped }
            guard waiting.0.revents != 0 else { continue }
            var failure: Int32 = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                let result = unsafe Glibc.read(descriptor, buffer.baseAddress, size)
                if result < 0 { failure = errno }
                count = max(0, result)
            }
            switch failure {
            case 0: return .bytes(bytes)
            case EINTR, EAGAIN: continue
            default: return .failed(failure)
            }
        }
    }
}

extension LineSource.Chunk {
    /// Whether a line has nothing but white space; such lines are skipped.
    func isBlank(_ line: Range<Int>) -> Bool {
        bytes[line].allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    }
}

extension [UInt8] {
    /// The next index of a byte, found by C's `memchr`; the end if there is none.
    fileprivate func firstIndex(of byte: UInt8, from start: Int) -> Int {
        unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = unsafe memchr(base + start, Int32(byte), bytes.count - start)
            else { return bytes.count }
            return unsafe UnsafeRawPointer(found) - base
        }
    }
}
