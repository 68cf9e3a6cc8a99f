using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Amazon.Runtime;

namespace Ferry.Cache.Remote.S3;

/// <summary>Short-lived keys for a role, which a token service (STS) gives for the token of an identity provider: AssumeRoleWithWebIdentity.</summary>
/// <remarks>
/// The SDK has it in an assembly of its own that asks AWS only; Ceph's gateway is such a service too. The token is read from its file for each new set of keys,
/// since whoever wrote it renews it. Errors name file, role, service and the service's error code, never the token or a key.
/// </remarks>
internal sealed class WebIdentityCredentials : RefreshingAWSCredentials
{
    private const int TokenBytesMax = 64 << 10; // Such a token has 1 to 20 KiB.
    private const int AnswerBytesMax = 64 << 10;
    private static readonly TimeSpan RenewBefore = TimeSpan.FromMinutes(5);

    private readonly string _tokenFile;
    private readonly string? _role;
    private readonly string _session;
    private readonly string _endpoint;
    private readonly S3TierOptions _options;
    private readonly TimeProvider _time;
    private readonly S3HttpClientFactory _connections;

    /// <param name="role">Null is told at the first request, as everything else that is wrong.</param>
    public WebIdentityCredentials(string tokenFile, string? role, string session, string endpoint, S3TierOptions options, TimeProvider time)
    {
        (_tokenFile, _role, _session, _endpoint, _options, _time) = (tokenFile, role, session, endpoint, options, time);
        _connections = new S3HttpClientFactory(options, downToHttp: false);
        PreemptExpiryTime = RenewBefore;
    }

    /// <summary>The SDK renews keys that end soon on a thread that it gives for it.</summary>
    protected override CredentialsRefreshState GenerateNewCredentials() => GenerateNewCredentialsAsync().GetAwaiter().GetResult();

    /// <exception cref="S3TierException">There are no keys to be had.</exception>
    protected override async Task<CredentialsRefreshState> GenerateNewCredentialsAsync()
    {
        if (_role is null)
        {
            throw new S3TierException("AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not; they go together");
        }
        if (!Uri.TryCreate(_endpoint, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https") || endpoint.UserInfo.Length > 0)
        {
            throw new S3TierException($"AWS_ENDPOINT_URL_STS is \"{TierUrl.ForDisplay(_endpoint)}\"; it must be http://host:port or https://host:port");
        }
        var form = new FormUrlEncodedContent(
        [
            new("Action", "AssumeRoleWithWebIdentity"),
            new("Version", "2011-06-15"),
            new("RoleArn", _role),
            new("RoleSessionName", _session),
            new("WebIdentityToken", ReadToken()),
        ]);
        using var deadline = new CancellationTokenSource(_options.RequestDeadline, _time);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, endpoint) { Content = form };
            using var answer = await _connections.CreateHttpClient(null!).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            await answer.Content.LoadIntoBufferAsync(AnswerBytesMax, deadline.Token);
            var xml = ReadXml(await answer.Content.ReadAsStreamAsync(deadline.Token));
            return answer.IsSuccessStatusCode
                ? ReadKeys(xml) ?? throw Failed("its answer holds no keys. Is it a token service?")
                : throw Failed($"it answered {(int)answer.StatusCode} {S3Fault.SafeCode(Value(xml, "Code"))}".TrimEnd() + $". Is the token in {_tokenFile} still valid, and does the role trust who issued it?");
        }
        catch (Exception error) when (error is HttpRequestException or IOException && error is not S3TierException)
        {
            throw Failed($"it could not be asked ({(error as HttpRequestException)?.HttpRequestError.ToString() ?? error.GetType().Name}). Is it running, and is AWS_ENDPOINT_URL_STS right?");
        }
        catch (OperationCanceledException)
        {
            throw Failed($"it did not answer within {_options.RequestDeadline.TotalSeconds:0.#} s");
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _connections.Dispose();
        }
        base.Dispose(disposing);
    }

    private S3TierException Failed(string why) => new($"no keys for the role {_role} from the token service at {TierUrl.ForDisplay(_endpoint)}: {why}");

    private string ReadToken()
    {
        try
        {
            return new FileInfo(_tokenFile).Length <= TokenBytesMax && File.ReadAllText(_tokenFile).Trim() is { Length: > 0 } token
                ? token
                : throw new S3TierException($"the web identity token's file {_tokenFile} is empty or longer than {TokenBytesMax} bytes");
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException and not S3TierException)
        {
            throw new S3TierException($"the web identity token's file {_tokenFile} cannot be read: {error.GetType().Name}");
        }
    }

    /// <summary>Null for what is no XML.</summary>
    private static XDocument? ReadXml(Stream body)
    {
        try
        {
            using var reader = XmlReader.Create(body, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            return XDocument.Load(reader);
        }
        catch (XmlException)
        {
            return null;
        }
    }

    private static CredentialsRefreshState? ReadKeys(XDocument? xml) =>
        Value(xml, "AccessKeyId") is { Length: > 0 } id && Value(xml, "SecretAccessKey") is { Length: > 0 } secret
        && DateTimeOffset.TryParse(Value(xml, "Expiration"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var expiration)
            ? new CredentialsRefreshState(new ImmutableCredentials(id, secret, Value(xml, "SessionToken") is { Length: > 0 } token ? token : null), expiration.UtcDateTime)
            : null;

    /// <summary>By local name: AWS and Ceph differ in the namespace.</summary>
    private static string? Value(XDocument? xml, string name) => xml?.Descendants().FirstOrDefault(element => element.Name.LocalName == name)?.Value;
}
