using System.Collections.Frozen;
using Ferry.Router.Configuration;
using Ferry.Router.Routes;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Security;

/// <summary>Checks API keys and their limits. Any thread.</summary>
internal sealed class ApiKeyRing(TimeProvider clock)
{
    private const string Scheme = "Bearer ";

    private readonly Dictionary<string, TenantLimits> _limits = new(StringComparer.Ordinal);
    private FrozenDictionary<string, Tenant>? _tenants;

    /// <summary>Names and how many requests each has in flight, for /admin/state.</summary>
    public IEnumerable<Tenant> Tenants => Volatile.Read(ref _tenants)?.Values.DistinctBy(tenant => tenant.Name) ?? [];

    /// <summary>Reads the file anew. With an error nothing changes.</summary>
    /// <param name="path">Empty: no keys are asked for.</param>
    public void Load(string path, List<string> errors)
    {
        if (path.Length == 0)
        {
            Volatile.Write(ref _tenants, null);
            return;
        }
        var errorCount = errors.Count;
        var entries = YamlPlace.TryReadFile(path, errors) is { } text ? ApiKeyFile.Read(text, path, errors) : [];
        if (errors.Count > errorCount) { return; }
        var tenants = new Dictionary<string, Tenant>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (!_limits.TryGetValue(entry.Name, out var limits)) { _limits[entry.Name] = limits = new TenantLimits(clock); }
            limits.Set(entry.RequestsPerMinute, entry.TokensPerMinute, entry.MaxInFlight);
            tenants[entry.Sha256] = new Tenant(entry.Name, entry.Weight, IsAuthenticated: true) { Limits = limits, LeastPriority = entry.LeastPriority };
        }
        Volatile.Write(ref _tenants, tenants.ToFrozenDictionary(StringComparer.Ordinal));
    }

    /// <summary>Names the tenant of a request and counts it in; disposed when the request is over.</summary>
    /// <exception cref="RouterException">401: no key, or nobody's; 429: a limit of the key is reached.</exception>
    public KeyedRequest Enter(HttpContext context, RequestAccount account)
    {
        if (Volatile.Read(ref _tenants) is not { } tenants) { return default; }
        string? header = context.Request.Headers.Authorization;
        if (header is null || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || header.Length > Scheme.Length + ApiKey.MaxLength)
        {
            throw RouterException.Unauthorized("This router needs an API key: send 'Authorization: Bearer KEY'.");
        }
        // What is looked up is the hash, so the time that it takes tells nothing about a key.
        if (!tenants.TryGetValue(ApiKey.Hash(header[Scheme.Length..].Trim()), out var tenant))
        {
            throw RouterException.Unauthorized("The API key is not one of this router's.");
        }
        account.Tenant = tenant;
        tenant.Limits!.Enter(tenant.Name);
        return new KeyedRequest(tenant.Limits);
    }

    /// <summary>A request that counts against its key's limits.</summary>
    internal readonly struct KeyedRequest(TenantLimits limits) : IDisposable
    {
        public void Dispose() => limits?.Leave();
    }
}
