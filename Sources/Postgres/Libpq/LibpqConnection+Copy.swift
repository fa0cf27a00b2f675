internal import CLibpq
internal import Glibc

extension LibpqConnection {
    /// The most bytes that are passed to libpq at a time.
    private static let copyChunk = 1 << 20

    /// Passes bytes of a COPY to libpq; waits while the server does not take them.
    ///
    /// - Parameter patience: About how long the server may go without taking anything; `nil` for ever.
    /// - Returns: `.interrupted` as soon as the interrupt is raised.
    func putCopy(
        _ bytes: UnsafeRawBufferPointer,
        within patience: Duration?
    ) throws(PostgresError) -> Readiness {
        var rest = unsafe bytes[...]
        while unsafe !rest.isEmpty {
            if interrupt.isRaised { return .interrupted }
            let deadline = patience.map { ContinuousClock.now + $0 }
            let chunk = unsafe UnsafeRawBufferPointer(rebasing: rest.prefix(Self.copyChunk))
            let start = unsafe chunk.baseAddress?.assumingMemoryBound(to: CChar.self)
            switch unsafe PQputCopyData(pointer, start, Int32(chunk.count)) {
            case 1:
                unsafe rest = rest.dropFirst(chunk.count)
                let readiness = try flush(until: deadline)
                guard readiness == .ready else { return readiness }
            case 0:
                let readiness = wait(for: POLLIN | POLLOUT, until: deadline)
                guard readiness == .ready else { return readiness }
                try consume()
            default: throw lost()
            }
        }
        return .ready
    }

    /// Ends a COPY; with a reason if it is to fail.
    func endCopy(failure: String? = nil) throws(PostgresError) {
        let status =
            if let failure { unsafe PQputCopyEnd(pointer, failure) } else { unsafe PQputCopyEnd(pointer, nil) }
        // 0 means "try again", for a buffer that cannot grow; a connection that is stuck is closed by the caller.
        guard status == 1 else { throw lost() }
    }

    /// What `takeCopy` found.
    enum CopyData { case row, notYet, end }

    /// Takes the next row of a COPY TO that has arrived.
    func takeCopy<Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) -> CopyData {
        var buffer: UnsafeMutablePointer<CChar>? = nil
        let count = unsafe PQgetCopyData(pointer, &buffer, 1)
        guard count > 0, let start = unsafe buffer else { return count == 0 ? .notYet : .end }
        defer { unsafe PQfreemem(start) }
        unsafe try body(UnsafeRawBufferPointer(start: start, count: Int(count)))
        return .row
    }
}
