using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Verification;

/// <summary>The value of a secret, where this process can read it. Values are used and never shown.</summary>
internal static class SecretReader
{
    private const int SecretBytesMax = 64 << 10;

    /// <returns>Null: there is none, or it stands where this process cannot read it.</returns>
    public static string? TryRead(SecretSpec? secret, Func<string, string?> variables) => secret switch
    {
        { Environment: { } name } => variables(name) is { Length: > 0 } value ? value : null,
        { File: { } path } => TryReadFile(path),
        { Docker: { } name } => TryReadFile($"/run/secrets/{name}"),
        _ => null,
    };

    /// <summary>The value of a secret of the plan: its file, else its variable.</summary>
    public static string? TryRead(PlannedSecret? secret, Func<string, string?> variables) => secret switch
    {
        null => null,
        { File: { } path } => TryReadFile(path),
        _ => variables(secret.SourceVariable) is { Length: > 0 } value ? value : null,
    };

    public static string Place(PlannedSecret secret) => secret.File is { } path ? $"the file {path}" : $"the variable {secret.SourceVariable}";

    /// <summary>Where it stands, in words.</summary>
    public static string Place(SecretSpec secret) => secret switch
    {
        { Environment: { } name } => $"the variable {name}",
        { File: { } path } => $"the file {path}",
        { Docker: { } name } => $"the Docker secret {name}",
        { Kubernetes: { } key } => $"the Secret {key.Name}, key {key.Key}",
        _ => "nowhere",
    };

    private static string? TryReadFile(string path)
    {
        try
        {
            return new FileInfo(path) is { Exists: true, Length: > 0 and <= SecretBytesMax } ? File.ReadAllText(path).TrimEnd('\r', '\n') : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
