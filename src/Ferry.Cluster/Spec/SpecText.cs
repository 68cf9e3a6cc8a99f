namespace Ferry.Cluster.Spec;

/// <summary>Forms that several keys share.</summary>
internal static class SpecText
{
    /// <summary>What Kubernetes, Docker and DNS all take for a name.</summary>
    public const string NamePattern = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";

    public const string NameText = "lower-case letters, digits and '-', at most 63, as names in Kubernetes are";

    /// <summary>A host name or an address of either family, or a placeholder that a person fills in.</summary>
    public const string HostPattern = @"[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?|[0-9a-fA-F:]*:[0-9a-fA-F:.]*|<[a-z0-9-]+>";

    public const string HostText = "a host name, an IP address, or a placeholder such as <prefill-ip>";

    /// <summary>An environment variable.</summary>
    public const string VariablePattern = "[A-Za-z_][A-Za-z0-9_]*";

    public const string VariableText = "the name of an environment variable";
}
