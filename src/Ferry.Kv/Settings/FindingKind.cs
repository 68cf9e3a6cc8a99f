namespace Ferry.Kv.Settings;

public enum FindingKind
{
    /// <summary>Takes effect as given.</summary>
    Honoured,

    /// <summary>Accepted, but has no effect or another one than where the name comes from.</summary>
    Warning,

    /// <summary>The process does not start.</summary>
    Error,
}
