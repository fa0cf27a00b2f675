extension EventAppender {
    /// The bounds of an appender.
    public struct Limits: Sendable {
        /// About how many events one transaction stores at most.
        public var groupSize: Int
        /// How many bytes of events may wait before producers have to wait.
        public var queueBytes: Int
        /// How long to keep trying to reach the database before appends fail with `.unavailable`, and how long the
        /// database may be silent before it counts as away.
        public var patience: Duration
        /// How many connections store groups at the same time; clamped to 1 … 256.
        public var connections: Int {
            didSet { connections = Self.bounded(connections) }
        }
        /// How long the server may take to answer a statement before its connection counts as lost: a frozen server
        /// keeps its connections open and says nothing. Defaults to the patience, but at least five seconds.
        package var answerTimeout: Duration {
            get { givenAnswerTimeout ?? max(patience, .seconds(5)) }
            set { givenAnswerTimeout = newValue }
        }
        private var givenAnswerTimeout: Duration?
        /// Whether subscribers are woken after commits. Without it they find events only when they poll; only
        /// benchmarks turn it off.
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
