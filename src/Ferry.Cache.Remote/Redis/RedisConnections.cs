using System.Net.Security;
using StackExchange.Redis;

namespace Ferry.Cache.Remote.Redis;

/// <summary>The connections of one tier, made when first needed and made again by themselves when they break. Thread-safe.</summary>
internal sealed class RedisConnections(RedisTierOptions options) : IAsyncDisposable
{
    private const int PasswordBytesMax = 4096;
    private static readonly TimeSpan ReconnectPauseMax = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _opening = new(1, 1);
    private readonly ConnectionMultiplexer?[] _open = new ConnectionMultiplexer?[options.Connections];
    private readonly string?[] _passwords = new string?[options.Connections];
    private int _next;

    /// <summary>True when nothing that answers takes writes.</summary>
    public bool HasOnlyReplicas =>
        _open.FirstOrDefault(connection => connection is not null)?.GetServers().Where(server => server.IsConnected).Select(server => server.IsReplica).ToArray()
            is { Length: > 0 } replicas && Array.TrueForAll(replicas, isReplica => isReplica);

    /// <summary>For small questions: their own connection, where no large value stands before them.</summary>
    public Task<IDatabase> SmallAsync(CancellationToken cancellationToken) => GetAsync(0, cancellationToken);

    /// <summary>For values: one connection after the other.</summary>
    public Task<IDatabase> LargeAsync(CancellationToken cancellationToken) => GetAsync(
        _open.Length == 1 ? 0 : 1 + (int)((uint)Interlocked.Increment(ref _next) % (_open.Length - 1)), cancellationToken);

    /// <summary>Every server that holds a part of the keys: all of them, or a count would be short.</summary>
    /// <exception cref="RedisTierException">One of a cluster's is not connected.</exception>
    public async Task<IReadOnlyList<IServer>> PrimariesAsync(CancellationToken cancellationToken)
    {
        var connected = (await SmallAsync(cancellationToken)).Multiplexer.GetServers().Where(server => server.IsConnected).ToArray();
        if (Array.Find(connected, server => server.ServerType == ServerType.Cluster) is not { } member)
        {
            var primaries = Array.FindAll(connected, server => !server.IsReplica);
            return primaries.Length > 0 ? primaries : connected; // A replica alone has them all.
        }
        var nodes = member.ClusterConfiguration?.Nodes ?? throw new RedisTierException("the cluster has not said yet which servers it has");
        return [.. nodes.Where(node => node is { IsReplica: false, Slots.Count: > 0 }).Select(node => Array.Find(connected, server => Equals(server.EndPoint, node.EndPoint))
            ?? throw new RedisTierException($"the cluster's server {node.EndPoint} is not connected, and a part of the records is there"))];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _open)
        {
            if (connection is not null)
            {
                await connection.DisposeAsync();
            }
        }
        _opening.Dispose();
    }

    private async Task<IDatabase> GetAsync(int index, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _open[index]) is { IsConnected: true } open)
        {
            return open.GetDatabase(options.Location.Database);
        }
        await _opening.WaitAsync(cancellationToken);
        try
        {
            var password = ReadPassword();
            // It comes back by itself, unless what it was opened with is no longer right.
            if (_open[index] is { IsConnected: false } broken && _passwords[index] != password)
            {
                _open[index] = null;
                await broken.DisposeAsync();
            }
            _passwords[index] = password;
            return (_open[index] ??= await OpenAsync(password)).GetDatabase(options.Location.Database);
        }
        finally
        {
            _opening.Release();
        }
    }

    private async Task<ConnectionMultiplexer> OpenAsync(string? password)
    {
        var configuration = new ConfigurationOptions
        {
            AbortOnConnectFail = false, // A server that is not there now may be there later: no restart.
            BacklogPolicy = BacklogPolicy.FailFast, // What cannot be asked now is a miss now.
            ConnectTimeout = (int)options.ConnectTimeout.TotalMilliseconds,
            ConnectRetry = 1,
            AsyncTimeout = (int)TimeSpan.FromMinutes(2).TotalMilliseconds, // Above every deadline of ours; it frees what a hung server never answers.
            ReconnectRetryPolicy = new ExponentialRetry(100, (int)ReconnectPauseMax.TotalMilliseconds),
            ClientName = "ferry",
            // Nothing is subscribed to. A subscription on the connection of the values would put it under Redis' output limit for pub/sub (32 MiB), and a GET of
            // more than that would end the connection.
            ConfigurationChannel = "",
            SharedSubscriptionConnection = false,
            Ssl = options.Location.IsTls,
            User = options.Location.User,
            Password = password,
            IncludeDetailInExceptions = false,
        };
        if (options.Location.AuthorityFile is { } file)
        {
            configuration.SslClientAuthenticationOptions = host => new SslClientAuthenticationOptions { TargetHost = host, CertificateChainPolicy = OwnAuthority.TrustOnly(file) };
        }
        foreach (var (host, port) in options.Location.Servers)
        {
            configuration.EndPoints.Add(host, port);
        }
        return await ConnectionMultiplexer.ConnectAsync(configuration);
    }

    private string? ReadPassword()
    {
        if (options.PasswordFile is not { } file)
        {
            return options.Environment("REDISCLI_AUTH") is { Length: > 0 } password ? password : null;
        }
        try
        {
            return new FileInfo(file).Length <= PasswordBytesMax
                ? File.ReadAllText(file).Trim()
                : throw new RedisTierException($"the credentials file {file} is longer than {PasswordBytesMax} bytes; it must hold the password and nothing else");
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException and not RedisTierException)
        {
            throw new RedisTierException($"the credentials file {file} cannot be read: {error.GetType().Name}");
        }
    }
}
