internal import CLibpq

extension PostgresExchange {
    /// What the next result of a pipeline is.
    private enum Expectation {
        case prepared(PreparedStatements.Key, name: String)
        case statement(PreparedStatements.Key)
        case sync
    }

    /// Sends statements in one go and reads the result of each.
    ///
    /// - Throws: The first failure. If DDL made a plan invalid, the pipeline is sent again, if nothing took effect yet.
    mutating func pipeline(
        _ statements: [BoundStatement],
        sync: PostgresConnection.PipelineSync
    ) throws -> [StatementResult] {
        if statements.isEmpty { return [] }
        let isBegun = libpq.deferredBegin != nil
        let opening = try takeOpening().map { sql throws(PostgresError) in try BoundStatement(Opening(sql: sql)) }
        let parts = sync == .once ? [statements] : statements.map { [$0] }
        guard opening.isEmpty else {
            // One BEGIN opens all parts; the settings of a lent session open each part.
            func opens(_ part: Int) -> Bool { part == 0 || !isBegun }
            var rest = try attemptPipeline(parts.indices.map { opens($0) ? opening + parts[$0] : parts[$0] })[...]
            return parts.indices.flatMap { part in
                if opens(part) { rest.removeFirst(opening.count) }
                defer { rest.removeFirst(parts[part].count) }
                return rest.prefix(parts[part].count)
            }
        }
        do {
            return try attemptPipeline(parts)
        } catch let error as PostgresError where error.isStalePlan && sync == .once && libpq.isIdle {
            try heedCancellation()
            return try attemptPipeline(parts)
        }
    }

    /// Sends the rest of the open transaction and further ones in one go.
    ///
    /// - Parameters:
    ///   - transactions: The statements of each, the last one its commit.
    ///   - begin: The statement that begins each one after the first.
    /// - Returns: How many were committed. After the first failure no more are begun.
    /// - Throws: The failure of the first transaction.
    mutating func commitInTurn(_ transactions: [[BoundStatement]], begin: String) throws -> Int {
        let opening = try [begin, libpq.lent?.opening].compactMap(\.self)
            .map { sql throws(PostgresError) in try BoundStatement(Opening(sql: sql)) }
        let (results, failure) = try sendPipeline([Array(transactions.joined(separator: opening))])
        let committed = results.count { $0.command == "COMMIT" }
        do {
            try settle(failure)
        } catch  where committed > 0 && !isBroken {}
        return committed
    }

    private struct Opening: PostgresStatement {
        let sql: String
    }

    private mutating func attemptPipeline(_ parts: [[BoundStatement]]) throws -> [StatementResult] {
        let (results, failure) = try sendPipeline(parts)
        try settle(failure)
        return results
    }

    /// - Parameter parts: Each is followed by a Sync.
    /// - Returns: The results of the statements that succeeded, and the first failure.
    private mutating func sendPipeline(
        _ parts: [[BoundStatement]]
    ) throws -> (results: [StatementResult], failure: PostgresError?) {
        // If anything goes wrong before the results are read, the connection is left in the middle of the pipeline. It
        // is then closed without a Sync, so that nothing takes effect.
        try libpq.enterPipeline()
        var expected: [Expectation] = []
        var names: [PreparedStatements.Key: String] = [:]
        for part in parts {
            for statement in part { try send(statement, &names, &expected) }
            try libpq.sendSync()
            expected.append(.sync)
        }
        return try readPipeline(expected)
    }

    private func send(
        _ statement: BoundStatement,
        _ names: inout [PreparedStatements.Key: String],
        _ expected: inout [Expectation]
    ) throws(PostgresError) {
        let key = statement.key
        if libpq.lent != nil {
            try libpq.sendOnce(sql: key.sql, types: key.types, parameters: statement.parameters)
        } else if let known = libpq.prepared.name(of: key) ?? names[key] {
            try libpq.sendExecute(name: known, parameters: statement.parameters)
        } else {
            let name = libpq.prepared.newName()
            names[key] = name
            try libpq.sendPrepare(name: name, sql: key.sql, types: key.types)
            expected.append(.prepared(key, name: name))
            try libpq.sendExecute(name: name, parameters: statement.parameters)
        }
        expected.append(.statement(key))
    }

    private mutating func readPipeline(
        _ expected: [Expectation]
    ) throws -> (results: [StatementResult], failure: PostgresError?) {
        var results: [StatementResult] = []
        var failure: PostgresError?
        for expectation in expected {
            guard let result = try awaitResult() else {
                isBroken = true
                throw failure ?? PostgresError(.connectionLost, "the server's answers ended early")
            }
            if case .sync = expectation { continue }
            switch (result.status, expectation) {
            case (PGRES_FATAL_ERROR, _), (PGRES_BAD_RESPONSE, _):
                let error = error(of: result)
                if isBroken { throw error }
                if error.isStalePlan, case .statement(let key) = expectation { libpq.prepared.forget(key) }
                failure = failure ?? error
            case (PGRES_COPY_IN, _), (PGRES_COPY_OUT, _):
                isBroken = true
                throw PostgresError(.misuse, "COPY does not go into a pipeline; the connection is closed")
            case (PGRES_PIPELINE_ABORTED, _): break
            case (_, .prepared(let key, let name)): libpq.prepared.remember(name, for: key)
            default: results.append(StatementResult(result))
            }
            while try awaitResult() != nil {}
        }
        try libpq.exitPipeline()
        return (results, failure)
    }
}
