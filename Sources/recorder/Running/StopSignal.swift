import Glibc
import Operations
import Schema
import Synchronization

/// A request to stop, which also ends a wait in `poll`.
final class StopSignal: Sendable {
    /// The end of a pipe, which is readable once the signal was raised.
    let descriptor: Int32
    private let writer: Int32
    private let raised = Atomic(false)

    /// - Throws: ``CommandError`` with code `.file` if the process has no file descriptor left.
    init() throws(CommandError) {
        guard let pipe = PrivatePipe() else {
            throw CommandError(.file, "no pipe can be made: \(SystemMessage.of(errno))")
        }
        (descriptor, writer) = (pipe.reader, pipe.writer)
    }

    deinit {
        close(descriptor)
        close(writer)
    }

    /// Whether it was raised.
    var isRaised: Bool { raised.load(ordering: .acquiring) }

    /// Asks to stop, from any thread.
    func raise() {
        raised.store(true, ordering: .releasing)
        var byte: UInt8 = 0
        _ = unsafe write(writer, &byte, 1)
    }
}
