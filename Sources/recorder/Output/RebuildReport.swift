import Projector
import Schema

/// Reports what became of a rebuild.
struct RebuildReport {
    /// The projections to be rebuilt.
    let names: [String]
    let json: Bool

    /// Prints what became of each projection.
    ///
    /// - Parameter rate: Gives the rate, as text, for a number of events.
    /// - Throws: The error of the projection that failed, or a `CommandError` that lists the errors of several.
    func print(_ results: [RebuildResult], rate: (Int) -> String) throws {
        var failures: [(name: String, error: any Error)] = []
        for result in results {
            switch result.outcome {
            case .success(let outcome): print(outcome, of: result.projection.name, rate: rate)
            case .failure(let error):
                if let comparison = (error as? ProjectorError)?.comparison {
                    DifferenceReport(comparison).print(json: json)
                }
                failures.append((result.projection.name, error))
            }
        }
        guard let first = failures.first else { return }
        if failures.count == 1 { throw first.error }
        let reasons = failures.map { "\n  \($0.name): \($0.error)" }.joined()
        throw CommandError(.refused, "\(failures.count) of \(results.count) projections were not rebuilt:\(reasons)")
    }

    private func print(_ outcome: RebuildOutcome, of name: String, rate: (Int) -> String) {
        let differences = outcome.comparison?.differenceCount
        let swap = outcome.swap / .milliseconds(1)
        guard !json else {
            return JSONLine.print { line in
                line.field("projection", name)
                line.field("events", outcome.events)
                line.field("resumed", outcome.isResumed)
                line.field("differences", differences)
                line.field("swapMs", swap)
            }
        }
        if let comparison = outcome.comparison { DifferenceReport(comparison).print(json: false) }
        StandardOutput.shared.line(
            "\(name): \(Counted.text(outcome.events, "event")) folded (\(rate(outcome.events)))"
                + (outcome.isResumed ? ", resumed" : "")
                + ", swapped in \(Figures.decimal(swap, digits: 1) ?? "-") ms"
        )
    }

    /// Prints which rebuilds were removed.
    func print(cancelled removed: [String]) {
        for name in names {
            let existed = removed.contains(name)
            guard !json else {
                JSONLine.print { line in
                    line.field("projection", name)
                    line.field("cancelled", existed)
                }
                continue
            }
            StandardOutput.shared.line(
                existed ? "the rebuild of \(name) was removed" : "there was no rebuild of \(name)"
            )
        }
    }

    /// The error to report when a signal has cancelled it.
    ///
    /// - Parameter removed: The projections of which there was something to remove.
    func cancelled(_ removed: [String]) -> CommandError {
        CommandError(
            .stopped,
            removed.isEmpty
                ? "cancelled, and nothing of it was there to remove: look with `recorder projections status` which version "
                    + "is live"
                : "cancelled: what was built of \(removed.joined(separator: ", ")) is removed, and the live "
                    + (removed.count == 1 ? "model is what it was" : "models are what they were")
        )
    }
}
