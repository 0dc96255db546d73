public import Tastemaker

/// Who may use a route. The only place where the console decides that; handlers never look at a path.
public enum Access: Sendable, Equatable {
    /// Also people who are not signed in.
    case everyone
    /// Whoever signed in, also with a one-time password that is still to be replaced.
    case passwordHolder
    case signedIn
    case roles(Set<Role>)

    public static let admins = Access.roles([.admin])
    /// Data, models, jobs and the tracker: to see.
    public static let viewOperation = Access.roles([.admin, .operator, .readOnly])
    /// The same: to change.
    public static let operators = Access.roles([.admin, .operator])
    /// Placements and promotions: to see, preview and try.
    public static let viewMarketing = Access.roles([.admin, .marketer, .readOnly])
    public static let marketers = Access.roles([.admin, .marketer])
    public static let viewExperiments = Access.roles([.admin, .marketer, .analyst, .readOnly])
    public static let viewMetrics = Access.roles([.admin, .marketer, .analyst, .operator, .readOnly])
    /// Trying a campaign records nothing, so those who only look may do it too.
    public static let tryCampaigns = Access.roles([.admin, .operator, .marketer, .readOnly])
    /// How a campaign mixes its lists is a matter of selling as much as of operation.
    public static let rerankCampaigns = Access.roles([.admin, .operator, .marketer])

    public func allows(_ role: Role) -> Bool {
        switch self {
        case .everyone, .passwordHolder, .signedIn: true
        case .roles(let roles): roles.contains(role)
        }
    }
}
