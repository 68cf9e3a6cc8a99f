using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Amazon.Runtime;

namespace Ferry.Cache.Remote.S3;

/// <summary>The connections of one tier: bounded in number, no proxy, no redirect, deadlines left to <see cref="ProgressDeadline"/>. Owned by the tier.</summary>
internal sealed class S3HttpClientFactory : HttpClientFactory, IDisposable
{
    private readonly HttpClient _client;

    public S3HttpClientFactory(S3TierOptions options, bool downToHttp)
    {
        var sockets = new SocketsHttpHandler
        {
            MaxConnectionsPerServer = options.RequestsMax,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10), // DNS of a gateway may change.
            ConnectTimeout = options.ConnectTimeout,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false, // A redirect would need another signature.
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = ConnectAsync,
        };
        if (options.Location.AuthorityFile is { } file)
        {
            sockets.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = OwnAuthority.TrustOnly(file) };
        }
        _client = new HttpClient(new S3RequestHandler(sockets, downToHttp)) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => _client;

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    public void Dispose() => _client.Dispose();

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }; // Buffers are left to the kernel, which tunes them; a size set here is cut to net.core.rmem_max and stays.
        try
        {
            // RFC 6761: names below "localhost" are this machine, whatever DNS says; a virtual-hosted bucket of a local gateway is such a name.
            if (context.DnsEndPoint.Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase))
            {
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
            }
            else
            {
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            }
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
