namespace Ferry.Router.Configuration;

/// <summary>All settings, in the order of the documentation: a new group of them is one file and one line here.</summary>
internal static class RouterSettings
{
    public static IReadOnlyList<(string Title, IReadOnlyList<RouterSetting> Settings)> Groups { get; } =
    [
        ("Listening", ListenSettings.All),
        ("Choice of nodes", ChoiceSettings.All),
        ("Prefix index", PrefixSettings.All),
        ("Health", HealthSettings.All),
        ("Admission", AdmissionSettings.All),
        ("Request path", RequestSettings.All),
        ("TLS and traces", TlsSettings.All),
        ("Discovery", DiscoverySettings.All),
        ("Admin and keys", AdminSettings.All),
    ];

    public static IReadOnlyList<RouterSetting> All { get; } = [.. Groups.SelectMany(group => group.Settings)];

    public static RouterSetting? Find(string key) => All.FirstOrDefault(setting => setting.Key == key);
}
