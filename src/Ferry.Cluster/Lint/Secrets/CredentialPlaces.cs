using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Lint.Secrets;

/// <summary>Where a process's credentials stand: variables, flags, LMCache's settings.</summary>
internal static class CredentialPlaces
{
    /// <summary>Name, value as written, and how it reaches the process. A reference without a value is none.</summary>
    public static IEnumerable<(string Name, SourcedText Value, EnvironmentOrigin? Origin)> Of(ObservedProcess process)
    {
        foreach (var setting in process.Environment.All)
        {
            if (setting.Value is { } value && (setting.IsSecret || SecretValues.InUrl(value.Value) is not null))
            {
                yield return (setting.Name.Value, value, setting.Origin);
            }
        }
        foreach (var flag in process.Arguments.Flags)
        {
            if (flag.Value is { } value && SecretNames.IsSecret(flag.Name.Value)) { yield return (flag.Name.Value, value, null); }
        }
        // What LMCache takes from variables was among them.
        foreach (var setting in process.LmCache.All.Where(setting => setting.Origin != LmCacheOrigin.Environment))
        {
            if (SecretNames.IsSecret(setting.Key) || SecretValues.InUrl(setting.Value.Value) is not null) { yield return (setting.Name.Value, setting.Value, null); }
        }
        foreach (var member in process.LmCache.Extra?.Members ?? [])
        {
            if (member.Value.Kind == DataKind.String && SecretNames.IsSecret(member.Key.Value)) { yield return (member.Key.Value, member.Value.Text, null); }
        }
    }
}
