import Foundation

@testable import Simulator

/// What goes wrong, and when: fixed by a seed.
struct FaultPlan: Equatable, Sendable {
    /// One thing that goes wrong.
    enum Kind: Equatable, Sendable {
        /// SIGKILL; the process is started again.
        case killProducer(Int)
        case killProjector(Int)
        /// SIGKILL of a producer whose group the server has committed, before it has read the answer.
        case killBeforeAcknowledgement(Int)
        /// SIGKILL of a rebuild in the middle, which is then run again.
        case killRebuild([String])
        /// SIGSTOP, and SIGCONT after a while; a projector's is longer than its lease.
        case pauseProducer(Int, Duration)
        case pauseProjector(Int, Duration)
        /// `pg_terminate_backend` of so many.
        case terminateBackends(Int)
        /// `pg_ctl restart -m immediate`.
        case restartServer
        /// A writing transaction that stays open, in the recorder's database or in another one.
        case holdTransaction(isElsewhere: Bool, Duration)
        /// An event with a value that fits no column and never will.
        case poison
        /// An event that a constraint refuses, until the constraint is dropped after a while.
        case refusal(Duration)
        /// A rebuild of read models, in one reading of the log.
        case rebuild([String])
    }

    /// A kind of fault at a moment since the plan's beginning.
    struct Fault: Equatable, Sendable, CustomStringConvertible {
        let at: Duration
        let kind: Kind

        var description: String { "\(Figure.seconds(at)) \(kind)" }
    }

    static let producers = 4
    static let projectors = 3

    let seed: UInt64
    let length: Duration
    /// Ascending by time.
    let faults: [Fault]

    /// How long it takes until every kind of fault has come.
    private static let cycle = Duration.seconds(20)

    /// Makes a plan: every kind of fault comes in each cycle, in an order of its own.
    init(seed: UInt64, length: Duration) {
        self.seed = seed
        self.length = length
        var source = SeededSource(seed: seed)
        var faults: [Fault] = []
        let cycles = max(1, Int((length / Self.cycle).rounded()))
        for cycle in 0..<cycles {
            var deck = Self.deck(&source)
            let width = length / cycles
            let slot = width / (deck.count + 1)
            for index in 0..<deck.count {
                let kind = deck.remove(at: source.below(deck.count))
                let at = width * cycle + slot * index + slot * source.unit()
                faults.append(Fault(at: at, kind: kind))
            }
        }
        self.faults = faults
    }

    private static func deck(_ source: inout SeededSource) -> [Kind] {
        var models = [
            "conversation_sessions", "conversation_turns", "conversation_costs", "latency_metrics", "audit_logs",
            "interruptions",
        ]
        // The four that are rebuilt, two at a time, are not the same.
        for index in 0..<4 { models.swapAt(index, source.within(index...(models.count - 1))) }
        return [
            .killProducer(source.below(producers)), .killProducer(source.below(producers)),
            .killBeforeAcknowledgement(source.below(producers)), .killBeforeAcknowledgement(source.below(producers)),
            .pauseProducer(source.below(producers), .milliseconds(source.within(500...3_000))),
            .killProjector(source.below(projectors)), .killProjector(source.below(projectors)),
            .pauseProjector(source.below(projectors), .milliseconds(source.within(3_500...5_500))),
            .pauseProjector(source.below(projectors), .milliseconds(source.within(3_500...5_500))),
            .terminateBackends(source.within(1...4)), .terminateBackends(source.within(5...12)),
            .restartServer,
            .holdTransaction(isElsewhere: false, .milliseconds(source.within(4_000...9_000))),
            .holdTransaction(isElsewhere: true, .milliseconds(source.within(4_000...9_000))),
            .poison, .refusal(.milliseconds(source.within(500...3_000))),
            .rebuild(Array(models[0..<2])), .killRebuild(Array(models[2..<4])),
        ]
    }
}

/// How figures are printed.
enum Figure {
    /// Seconds with two decimals.
    static func seconds(_ duration: Duration) -> String {
        String(format: "%.2f s", duration / .seconds(1))
    }
}

/// What a run prints: at once, whoever reads it.
enum Journal {
    static func line(_ text: String) { FileHandle.standardOutput.write(Data("\(text)\n".utf8)) }
}
