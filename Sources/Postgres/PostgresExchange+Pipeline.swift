internal import CLibpq

extension PostgresExchange {
    /// What the results of a pipeline are, in order.
    private enum Expectation {
        case prepared(PreparedStatements.Key, name: String)
        case statement(PreparedStatements.Key)
        case sync
    }

    /// Sends statements in one go and reads the result of each.
    ///
    /// - Throws: The first failure. A plan that DDL made invalid is made anew, if nothing took effect yet.
    mutating func pipeline(
        _ statements: [BoundStatement],
        sync: PostgresConnection.PipelineSync
    ) throws -> [StatementResult] {
        if statements.isEmpty { return [] }
        if let begin = libpq.deferredBegin {
            libpq.deferredBegin = nil
            let first = try BoundStatement(Begin(sql: begin))
            return Array(try attemptPipeline([first] + statements, sync: sync).dropFirst())
        }
        do {
            return try attemptPipeline(statements, sync: sync)
        } catch let error as PostgresError where error.isStalePlan && sync == .once && libpq.isIdle {
            return try attemptPipeline(statements, sync: sync)
        }
    }

    /// Sends the rest of the open transaction and further ones in one go.
    ///
    /// - Parameters:
    ///   - transactions: The statements of each, the last one its commit; all but the first begin anew.
    ///   - begin: How.
    /// - Returns: How many were committed. The first that fails ends it: those behind it are not begun.
    /// - Throws: The failure of the first.
    mutating func commitInTurn(_ transactions: [[BoundStatement]], begin: String) throws -> Int {
        let begin = try BoundStatement(Begin(sql: begin))
        let (results, failure) = try sendPipeline(Array(transactions.joined(separator: [begin])), sync: .once)
        let committed = results.count { $0.command == "COMMIT" }
        do {
            try settle(failure)
        } catch  where committed > 0 && !isBroken {}
        return committed
    }

    private struct Begin: PostgresStatement {
        let sql: String
    }

    private mutating func attemptPipeline(
        _ statements: [BoundStatement],
        sync: PostgresConnection.PipelineSync
    ) throws -> [StatementResult] {
        let (results, failure) = try sendPipeline(statements, sync: sync)
        try settle(failure)
        return results
    }

    /// - Returns: The results of the statements that succeeded, and why the first one failed that did not.
    private mutating func sendPipeline(
        _ statements: [BoundStatement],
        sync: PostgresConnection.PipelineSync
    ) throws -> (results: [StatementResult], failure: PostgresError?) {
        // Whatever goes wrong before the results are read leaves the connection in the middle of the pipeline; it is
        // closed then, without a Sync, so that nothing takes effect.
        try libpq.enterPipeline()
        var expected: [Expectation] = []
        var names: [PreparedStatements.Key: String] = [:]
        for statement in statements {
            let key = statement.key
            let name: String
            if let known = libpq.prepared.name(of: key) ?? names[key] {
                name = known
            } else {
                name = libpq.prepared.newName()
                names[key] = name
                try libpq.sendPrepare(name: name, sql: key.sql, types: key.types)
                expected.append(.prepared(key, name: name))
            }
            try libpq.sendExecute(name: name, parameters: statement.parameters)
            expected.append(.statement(key))
            if sync == .each { try send(sync: &expected) }
        }
        if sync == .once { try send(sync: &expected) }
        return try readPipeline(expected)
    }

    private func send(sync expected: inout [Expectation]) throws(PostgresError) {
        try libpq.sendSync()
        expected.append(.sync)
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
