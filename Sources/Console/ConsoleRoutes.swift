/// Every route of the console, feature by feature. Access stands beside each.
public enum ConsoleRoutes {
    public static let all: [ConsoleRoute] = [signIn, today].flatMap { $0 }
}
