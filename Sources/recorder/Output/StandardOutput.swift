import Glibc
import Schema
import Synchronization

/// Standard output, buffered: results go here and nothing else does.
///
/// A reader that goes away (`| head`) ends the process by SIGPIPE, as it ends other programs.
final class StandardOutput: Sendable {
    /// The process's standard output.
    static let shared = StandardOutput()

    private static let capacity = 1 << 16
    private let state = Mutex(State())

    private struct State {
        var bytes: [UInt8] = []
        /// Why something could not be written: nothing is written after that.
        var failure: CommandError?
    }

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

    /// Lets the caller append bytes to what will be written.
    func write(_ append: (inout sending [UInt8]) -> Void) {
        state.withLock { state in
            append(&state.bytes)
            if state.bytes.count >= Self.capacity { Self.drain(&state) }
        }
    }

    /// Hands everything over to the system.
    ///
    /// - Throws: ``CommandError`` if it could not be written, now or before, such as to a full disk.
    func flush() throws(CommandError) {
        let failure = state.withLock { state in
            Self.drain(&state)
            return state.failure
        }
        if let failure { throw failure }
    }

    /// Whether a person looks at it.
    static let isTerminal = isatty(STDOUT_FILENO) == 1

    /// How many characters a line of the terminal has; nil if it is not a terminal.
    static let terminalWidth: Int? = {
        guard isTerminal else { return nil }
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }()

    private static func drain(_ state: inout State) {
        defer { state.bytes.removeAll(keepingCapacity: true) }
        var written = 0
        while written < state.bytes.count, state.failure == nil {
            let count = unsafe state.bytes.withUnsafeBytes { raw in
                unsafe Glibc.write(STDOUT_FILENO, raw.baseAddress.map { unsafe $0 + written }, raw.count - written)
            }
            guard count < 0 else {
                written += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: waitForRoom()
            case let number:
                state.failure = CommandError(
                    .file,
                    "standard output cannot be written: \(SystemMessage.of(number))"
                )
            }
        }
    }

    /// Waits until the reader has taken something: another process that shares the pipe may have made it non-blocking.
    private static func waitForRoom() {
        var descriptor = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&descriptor, 1, -1)
    }
}
