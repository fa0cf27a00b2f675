import Foundation
import Glibc

/// Runs short programs that print a line.
enum ProgramOutput {
    /// Runs a program and returns what it printed, trimmed.
    ///
    /// - Throws: ``OperationsError`` with code `.startFailed` if it cannot be run, fails, or takes more than 10 s.
    static func of(_ command: [String]) throws(OperationsError) -> String {
        guard let pipe = PrivatePipe() else { throw .noPipe }
        let handle = FileHandle(fileDescriptor: pipe.reader, closeOnDealloc: true)
        defer { try? handle.close() }
        let started = Result { () throws(OperationsError) in try ChildProcess.start(command, output: pipe.writer) }
        close(pipe.writer)
        let child = try started.get()
        if !child.wait(atMost: .seconds(10)) {
            child.signal(SIGKILL)
            _ = child.wait(atMost: .seconds(10))
        }
        guard child.succeeded, let data = try? handle.readToEnd() else {
            throw OperationsError(
                .startFailed,
                "\(command.joined(separator: " ")) failed: \(child.ending ?? "it does not end")"
            )
        }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
