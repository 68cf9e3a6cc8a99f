using Ferry.Transfer.Tls;

namespace Ferry.Cli.Commands.Transport;

/// <summary>What nodes prove to each other, from the environment variables that <c>ferry serve</c> reads.</summary>
internal sealed record NodeCredentials(string? Secret, TlsFiles? Tls)
{
    public const string SecretVariable = "FERRY_SHARED_SECRET";

    /// <exception cref="UsageException">Some but not all files of TLS are named.</exception>
    public static NodeCredentials Read()
    {
        var (certificate, key, authority) = (Text("FERRY_TLS_CERT"), Text("FERRY_TLS_KEY"), Text("FERRY_TLS_CA"));
        return (certificate, key, authority) switch
        {
            (null, null, null) => new NodeCredentials(Text(SecretVariable), null),
            ({ } own, { } secret, { } signer) => new NodeCredentials(Text(SecretVariable), new TlsFiles(own, secret, signer)),
            _ => throw new UsageException("of FERRY_TLS_CERT, FERRY_TLS_KEY and FERRY_TLS_CA some are set and some are not; TLS between nodes needs all three."),
        };
    }

    private static string? Text(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? text : null;
}
