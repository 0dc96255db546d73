// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Numerical code is unusable without the optimizer, also in a debug build.
let optimized: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

func module(_ name: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = strict) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: strict)
}

let log = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "tastemaker",
    products: [.executable(name: "tastemaker", targets: ["Command"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
    ],
    targets: [
        .systemLibrary(name: "CFastCGI", pkgConfig: "fcgi"),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq"),
        .systemLibrary(name: "CXML", pkgConfig: "libxml-2.0"),
        .systemLibrary(name: "CBLAS", pkgConfig: "openblas"),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl"),

        module("JSON"),
        module("Crypto", ["CCrypto"]),
        module("Storage", ["Crypto", "CZlib", "CCurl"]),
        .target(name: "Kernels", cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off", "-Wall", "-Werror"])]),
        module("Ranking", ["Locks", "Kernels", "CBLAS"], settings: optimized),
        module("Locks"),
        module("FilterLanguage"),
        module("Statistics"),
        module("Feeds", ["JSON", "CXML"]),
        module("Postgres", ["CPostgres", "Locks"]),
        module("Web", ["JSON", "Locks", "Crypto", "CFastCGI", log, .product(name: "Mustache", package: "swift-mustache")]),
        module("Tastemaker", ["JSON", "Locks", "Crypto", "Storage", "Ranking", "FilterLanguage", "Statistics", "Feeds", "Postgres", log]),
        module("API", ["Tastemaker", "Locks", "Web", "JSON", "Ranking", log]),
        module("Console", ["Tastemaker", "Web", "JSON", "Statistics", log]),
        .executableTarget(
            name: "Command",
            dependencies: [
                "API", "Console", "Tastemaker", "Web", "Postgres", "Ranking", "Feeds", "Storage", "Crypto", "JSON", log,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        .target(name: "Support", dependencies: ["Postgres", "Tastemaker"], path: "Tests/Support", swiftSettings: strict),
        tests("JSONTests", ["JSON"]),
        tests("CryptoTests", ["Crypto"]),
        tests("StorageTests", ["Storage", "Crypto"]),
        .target(name: "ModelMutation", dependencies: ["Ranking"], path: "Tests/ModelMutation", swiftSettings: strict),
        .executableTarget(
            name: "RankingChecks", dependencies: ["Ranking", "ModelMutation"], path: "Tests/RankingChecks", swiftSettings: strict),
        tests("RankingTests", ["Ranking", "Kernels", "ModelMutation"], resources: [.copy("Resources")]),
        tests("FilterLanguageTests", ["FilterLanguage"]),
        tests("StatisticsTests", ["Statistics"], resources: [.copy("Resources")]),
        tests("FeedsTests", ["Feeds", "JSON"]),
        tests("PostgresTests", ["Postgres", "Support"]),
        .executableTarget(name: "WebFixture", dependencies: ["Web"], path: "Tests/WebFixture", swiftSettings: strict),
        tests("WebTests", ["Web", "JSON", "Crypto", "WebFixture"], resources: [.copy("Resources")]),
        tests("TastemakerTests", ["Tastemaker", "Postgres", "JSON", "Ranking", "Statistics", "Storage", "Support"]),
        tests("APITests", ["API", "Tastemaker", "Web", "JSON", "Crypto", "Postgres", "Storage", "Support"]),
        tests(
            "ConsoleTests", ["Console", "Tastemaker", "Web", "JSON", "Postgres", "Ranking", "Statistics", "Support"], exclude: ["Snapshots"]
        ),
        tests("CommandTests", ["Command", "Ranking", "JSON", "Storage"]),
        tests("ArchitectureTests", []),
    ]
)
