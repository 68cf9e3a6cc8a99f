using Amazon.Runtime;

namespace Ferry.Cache.Remote.S3;

/// <summary>Keys from a section of an AWS credentials file, read again when the file changes: rotated keys need no restart.</summary>
/// <remarks>Thread-safe. Errors name file and section, never a line of it.</remarks>
internal sealed class CredentialsFile(string path, string section) : AWSCredentials
{
    private const int FileBytesMax = 1 << 20; // A file with more is not one of these.

    private readonly Lock _lock = new();
    private (DateTime Changed, long Bytes) _seen;
    private ImmutableCredentials? _credentials;

    /// <exception cref="S3TierException">The file cannot be read, or has no keys in that section.</exception>
    public override ImmutableCredentials GetCredentials()
    {
        lock (_lock)
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                throw new S3TierException($"The credentials file {path} does not exist.");
            }
            if (_credentials is null || _seen != (file.LastWriteTimeUtc, file.Length))
            {
                _credentials = Read(path, section) ?? throw new S3TierException(
                    $"The credentials file {path} has no section [{section}] with aws_access_key_id and aws_secret_access_key.");
                _seen = (file.LastWriteTimeUtc, file.Length);
            }
            return _credentials;
        }
    }

    private static ImmutableCredentials? Read(string path, string section)
    {
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var inside = false;
        try
        {
            if (new FileInfo(path).Length > FileBytesMax)
            {
                throw new S3TierException($"The credentials file {path} is larger than {FileBytesMax} bytes; it must hold an AWS credentials file (INI).");
            }
            foreach (var line in File.ReadLines(path).Select(line => line.Trim()))
            {
                if (line.StartsWith('[') && line.EndsWith(']'))
                {
                    var name = line[1..^1].Trim();
                    inside = name == section || name == "profile " + section;
                }
                else if (inside && !line.StartsWith('#') && !line.StartsWith(';') && line.IndexOf('=') is var at and > 0)
                {
                    values[line[..at].Trim()] = line[(at + 1)..].Trim();
                }
            }
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException and not S3TierException)
        {
            throw new S3TierException($"The credentials file {path} cannot be read: {error.GetType().Name}.");
        }
        return values.TryGetValue("aws_access_key_id", out var id) && values.TryGetValue("aws_secret_access_key", out var secret) && id.Length > 0 && secret.Length > 0
            ? new ImmutableCredentials(id, secret, values.GetValueOrDefault("aws_session_token"))
            : null;
    }
}
