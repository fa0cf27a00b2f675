extension EventAppender {
    /// The bounds of an appender.
    public struct Limits: Sendable {
        /// About how many events one transaction stores at most.
        public var groupSize: Int
        /// How many bytes of events wait before producers have to.
        public var queueBytes: Int
        /// How long to try to reach the database again before appends fail with `.unavailable`; and how long the
        /// database may be silent before it counts as away.
        public var patience: Duration
        /// How many connections store groups at the same time, 1 … 256: fewer and more count as these.
        public var connections: Int {
            didSet { connections = Self.bounded(connections) }
        }
        /// How long the server may take to answer a statement before its connection counts as lost: a server that is
        /// frozen keeps its connections, and says nothing. The patience unless given, and at least five seconds then.
        package var answerTimeout: Duration {
            get { givenAnswerTimeout ?? max(patience, .seconds(5)) }
            set { givenAnswerTimeout = newValue }
        }
        private var givenAnswerTimeout: Duration?
        /// Whether subscribers are woken after commits. Without, they find events when
        /// they look: only benchmarks ask for that.
        package var notifies = true

        /// The defaults were measured on two cores; see the decisions beside this target.
        public init(
            groupSize: Int = 1_000,
            queueBytes: Int = 16 << 20,
            patience: Duration = .seconds(30),
            connections: Int = 2
        ) {
            self.groupSize = groupSize
            self.queueBytes = queueBytes
            self.patience = patience
            self.connections = Self.bounded(connections)
        }

        private static func bounded(_ connections: Int) -> Int { min(max(1, connections), 256) }
    }
}
