internal import CLibpq

extension PostgresExchange {
    /// Stores the rows that `body` writes.
    ///
    /// - Returns: How many rows were stored.
    mutating func copyIn(_ sql: String, _ body: (inout PostgresCopyWriter) throws -> Void) throws -> Int {
        try beginCopy(sql, expecting: PGRES_COPY_IN)
        do {
            var writer = PostgresCopyWriter(libpq, patience: answerTimeout)
            try body(&writer)
            try writer.finish()
        } catch {
            if (error as? PostgresError)?.code == .connectionLost { isBroken = true } else { failCopy() }
            throw error
        }
        waitAnew()
        return try finish().affectedRows
    }

    /// Passes each row of a COPY from the server to `body`.
    mutating func copyOut(_ sql: String, _ body: (borrowing PostgresCopyRow) throws -> Void) throws {
        try beginCopy(sql, expecting: PGRES_COPY_OUT)
        do {
            try readCopy(body)
        } catch {
            if libpq.isOpen && !isBroken { abandonCopy() }
            throw error
        }
        waitAnew()
        _ = try finish()
    }

    /// Starts a COPY and waits until the server is ready for it.
    private mutating func beginCopy(_ sql: String, expecting status: ExecStatusType) throws {
        let opening = takeOpening()
        try libpq.send(script: (opening + [sql]).joined(separator: "; "))
        var next = try awaitResult()
        for _ in opening where next?.status != PGRES_FATAL_ERROR { next = try awaitResult() }
        guard let result = next else { throw PostgresError(.misuse, "the server ignored COPY") }
        if result.status == status { return }
        guard result.status == PGRES_FATAL_ERROR else {
            isBroken = true
            throw PostgresError(.misuse, "not a COPY in this direction; the connection is closed")
        }
        let failure = error(of: result)
        if !isBroken {
            while try awaitResult() != nil {}
            try settle(failure)
        }
        throw failure
    }

    /// Makes the COPY from this client fail, so that none of it is stored.
    private mutating func failCopy() {
        waitAnew()
        do {
            // The server logs the reason, so it must not hold the caller's values.
            try libpq.endCopy(failure: "the sender gave up")
            while try awaitResult() != nil {}
            try settle(nil)
        } catch {
            isBroken = true
        }
    }

    private mutating func readCopy(_ body: (borrowing PostgresCopyRow) throws -> Void) throws {
        var isFirst = true
        while true {
            let state = unsafe try libpq.takeCopy { bytes in
                let row = unsafe try PostgresCopyRow(message: bytes, isFirst: isFirst)
                isFirst = false
                if let row { try body(row) }
            }
            switch state {
            // A steady flow of rows must not hide a cancellation.
            case .row: if libpq.interrupt.isRaised { throw CancellationError() }
            case .end: return
            case .notYet:
                waitAnew()
                try awaitInput()
            }
        }
    }

    /// Cancels the COPY from the server and reads what is left of it.
    private mutating func abandonCopy() {
        do {
            try requestCancel()
            reading: while true {
                switch unsafe libpq.takeCopy({ _ in }) {
                case .row: continue
                case .end: break reading
                case .notYet: try awaitInput()
                }
            }
            while try awaitResult() != nil {}
            try settle(nil)
        } catch {
            isBroken = true
        }
    }
}
