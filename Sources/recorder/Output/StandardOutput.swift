import Glibc
import Synchronization

/// Standard output, buffered: results go here and nothing else does.
///
/// A reader that goes away (`| head`) ends the process by SIGPIPE, as it ends other programs.
final class StandardOutput: Sendable {
    /// The process's one.
    static let shared = StandardOutput()

    private static let capacity = 1 << 16
    private let buffer = Mutex<[UInt8]>([])

    /// Writes text.
    func write(_ text: String) { write { $0.append(contentsOf: text.utf8) } }

    /// Writes text and ends the line.
    func line(_ text: String = "") {
        write { bytes in
            bytes.append(contentsOf: text.utf8)
            bytes.append(0x0A)
        }
    }

    /// Ends the line.
    func endLine() { write { $0.append(0x0A) } }

    /// Has the caller append bytes to what is to be written.
    func write(_ append: (inout sending [UInt8]) -> Void) {
        buffer.withLock { bytes in
            append(&bytes)
            if bytes.count >= Self.capacity { try? Self.drain(&bytes) }
        }
    }

    /// Hands everything over to the system.
    ///
    /// - Throws: ``CommandError`` if it cannot be written, such as to a full disk.
    func flush() throws(CommandError) {
        let failure = buffer.withLock { bytes in
            do throws(CommandError) {
                try Self.drain(&bytes)
                return CommandError?.none
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    /// Whether a person looks at it.
    static let isTerminal = isatty(STDOUT_FILENO) == 1

    /// How many characters a line of the terminal has; nil if it is none.
    static let terminalWidth: Int? = {
        guard isTerminal else { return nil }
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }()

    private static func drain(_ bytes: inout [UInt8]) throws(CommandError) {
        var written = 0
        defer { bytes.removeAll(keepingCapacity: true) }
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { raw in
                unsafe Glibc.write(STDOUT_FILENO, raw.baseAddress.map { unsafe $0 + written }, raw.count - written)
            }
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw CommandError(.file, "standard output cannot be written: \(SystemMessage.of(errno))")
            }
        }
    }
}
