/// What the interactions lack of the contract's data minimums, as sentences; empty when they suffice.
///
/// Counts are taken after the configuration's event-type and event-value filters, over distinct
/// (user, item, event type, timestamp) tuples. The caller decides whether a shortfall refuses or only warns.
public func dataShortfall(_ data: TrainingData, _ configuration: FitConfiguration) -> [String] {
    let minimumInteractions = 1000
    let minimumUsers = 25
    let minimumShare = 0.01
    let maximumTypes = 10

    struct Key: Hashable { var user: Int32, item: Int32, type: UInt8, timestamp: Int64 }
    var distinct = Set<Key>()
    var countOfUser: [Int32: Int] = [:]
    var types = Set<UInt8>()
    let admission = EventAdmission(data: data, configuration: configuration)
    for position in 0..<data.count where admission.admits(type: data.eventTypes[position], value: data.values[position]) {
        let key = Key(
            user: data.users[position], item: data.items[position], type: data.eventTypes[position],
            timestamp: data.timestamps[position])
        guard distinct.insert(key).inserted else { continue }
        countOfUser[key.user, default: 0] += 1
        types.insert(key.type)
    }
    let usersWithTwo = countOfUser.values.count { $0 >= 2 }
    var sentences: [String] = []
    if distinct.count < minimumInteractions {
        sentences.append("Dataset has fewer than \(minimumInteractions) unique interactions after filtering: \(distinct.count).")
    }
    if usersWithTwo < minimumUsers {
        sentences.append("Dataset has fewer than \(minimumUsers) users with at least 2 interactions each.")
    }
    if !countOfUser.isEmpty, Double(usersWithTwo) < minimumShare * Double(countOfUser.count) {
        sentences.append("Dataset has fewer than 1% of users with at least 2 interactions each.")
    }
    if types.count > maximumTypes {
        sentences.append("Dataset has more than \(maximumTypes) distinct event types: \(types.count).")
    }
    return sentences
}

/// Which events a configuration learns from, and with what weight.
struct EventAdmission {
    /// Weight per event type, the largest being 1; 0 keeps the type out.
    let weights: [Float]
    /// Least value per event type; nil admits events without a value too.
    let thresholds: [Float?]

    init(data: TrainingData, configuration: FitConfiguration) {
        self.init(eventTypeNames: data.eventTypeNames, configuration: configuration)
    }

    init(eventTypeNames: [String], configuration: FitConfiguration) {
        var weights: [Float] = []
        var thresholds: [Float?] = []
        for name in eventTypeNames {
            if !configuration.eventWeights.isEmpty {
                let rule = configuration.eventWeights.first { $0.eventType.utf8.elementsEqual(name.utf8) }
                weights.append(rule.map { Float($0.weight) } ?? 0)
                thresholds.append(rule?.valueThreshold.map { Float($0) })
            } else if let eventType = configuration.eventType {
                weights.append(eventType.utf8.elementsEqual(name.utf8) ? 1 : 0)
                thresholds.append(configuration.eventValueThreshold.map { Float($0) })
            } else {
                weights.append(1)
                thresholds.append(configuration.eventValueThreshold.map { Float($0) })
            }
        }
        let largest = weights.max() ?? 1
        self.weights = largest > 0 ? weights.map { $0 / largest } : weights
        self.thresholds = thresholds
    }

    func admits(type: UInt8, value: Float) -> Bool {
        let type = Int(type)
        guard type < weights.count, weights[type] > 0 else { return false }
        guard let threshold = thresholds[type] else { return true }
        return value >= threshold
    }
}
