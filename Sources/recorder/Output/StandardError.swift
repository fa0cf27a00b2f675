import Glibc

/// Standard error, not buffered: progress, warnings and reasons go here.
enum StandardError {
    /// Whether a person looks at it.
    static let isTerminal = isatty(STDERR_FILENO) == 1

    /// Writes text and ends the line.
    static func line(_ text: String) { write(text + "\n") }

    /// Writes text; what cannot be written is lost.
    static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var written = 0
            while written < bytes.count {
                let count = unsafe Glibc.write(
                    STDERR_FILENO,
                    bytes.baseAddress.map { unsafe $0 + written },
                    bytes.count - written
                )
                guard count > 0 || errno == EINTR else { return }
                written += max(0, count)
            }
        }
    }
}
