using Ferry.Router.Bodies;

namespace Ferry.Router.Connectors;

/// <summary>The connector profiles by name: a new one is one file and one line here.</summary>
internal static class ConnectorProfiles
{
    /// <summary>The name that leaves the choice to the shape of the prefill node's answer.</summary>
    public const string Auto = "auto";

    private static readonly NixlPullProfile Pull = new();
    private static readonly NixlPushProfile Push = new();
    private static readonly FerryProfile Ferry = new();

    private static readonly Dictionary<string, IConnectorProfile?> ByName = new(StringComparer.Ordinal)
    {
        [Auto] = null,
        [Pull.Name] = Pull,
        [Push.Name] = Push,
        ["lmcache"] = new LmCacheProfile(),
        [Ferry.Name] = Ferry,
    };

    public static IReadOnlyCollection<string> Names => ByName.Keys;

    /// <summary>Null: <see cref="Auto"/>. The first leg's wish is the same for every connector that has one, so it can be sent before the choice.</summary>
    public static IConnectorProfile? Find(string name) => ByName[name];

    /// <summary>The connector that answered these parameters.</summary>
    public static IConnectorProfile Detect(JsonBody parameters, NodeVersion? prefillVersion)
    {
        if (prefillVersion?.IsFerry == true || parameters.Asks("ferry"u8))
        {
            return Ferry;
        }
        // v0.11's answer has no transfer_mode: it can only be a pull.
        return parameters.Value("transfer_mode"u8).Span.SequenceEqual("\"push\""u8) ? Push : Pull;
    }
}
