using Ferry.Router;
using Ferry.Router.Routes;
using Ferry.Router.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Router.Security;

public sealed class ApiKeyTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"ferry-keys-{Guid.NewGuid():N}.yaml");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Enter_KeyOfATenant_NamesIt()
    {
        var (key, entry) = ApiKey.Create("team-a");
        var ring = Load($"keys:\n{entry}\n");
        var context = Context(key);
        var account = Account();
        using var keyed = ring.Enter(context, account);
        Assert.Equal(("team-a", true), (account.Tenant.Name, account.Tenant.IsAuthenticated));
        Assert.DoesNotContain(key, File.ReadAllText(_path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer nobodys")]
    [InlineData("Basic abc")]
    public void Enter_NoKeyOrNobodys_Is401(string? header)
    {
        var ring = Load($"keys:\n{ApiKey.Create("a").Entry}\n");
        var context = new DefaultHttpContext();
        context.Request.Headers.Authorization = header;
        Assert.Equal(401, Assert.Throws<RouterException>(() => ring.Enter(context, Account())).Status);
    }

    [Fact]
    public void Enter_NoKeyFile_AsksForNone()
    {
        var ring = new ApiKeyRing(_clock);
        ring.Load("", []);
        var context = new DefaultHttpContext();
        var account = Account();
        using var keyed = ring.Enter(context, account);
        Assert.Same(Tenant.Anonymous, account.Tenant);
    }

    [Fact]
    public void Enter_MoreThanItsRequests_Is429UntilTimeHasPassed()
    {
        var (key, _) = ApiKey.Create("a");
        var ring = Load($"keys:\n  - {{name: a, sha256: {ApiKey.Hash(key)}, requestsPerMinute: 2}}\n");
        ring.Enter(Context(key), Account()).Dispose();
        ring.Enter(Context(key), Account()).Dispose();
        var refused = Assert.Throws<RouterException>(() => ring.Enter(Context(key), Account()));
        Assert.Equal((429, 30), (refused.Status, (int)Math.Ceiling(refused.RetryAfter!.Value.TotalSeconds)));
        _clock.Advance(TimeSpan.FromSeconds(30));
        ring.Enter(Context(key), Account()).Dispose();
    }

    [Fact]
    public void Enter_TokensUsedUp_WaitsUntilTheBucketIsAboveZero()
    {
        var limits = new TenantLimits(_clock);
        limits.Set(0, 600, 0);
        limits.Enter("a");
        limits.Used(900);   // an answer was longer than what was left
        var refused = Assert.Throws<RouterException>(() => limits.Enter("a"));
        Assert.InRange(refused.RetryAfter!.Value.TotalSeconds, 30, 31);
        _clock.Advance(TimeSpan.FromSeconds(31));
        limits.Enter("a");
    }

    [Fact]
    public void Enter_MoreAtATimeThanItMay_Is429()
    {
        var limits = new TenantLimits(_clock);
        limits.Set(0, 0, 1);
        limits.Enter("a");
        Assert.Throws<RouterException>(() => limits.Enter("a"));
        limits.Leave();
        limits.Enter("a");
    }

    [Fact]
    public void Load_FileWithErrors_KeepsTheKeysItHad()
    {
        var (key, entry) = ApiKey.Create("a");
        var ring = Load($"keys:\n{entry}\n");
        File.WriteAllText(_path, "keys:\n  - {name: b, sha256: not-a-hash, wieght: 2}\n");
        var errors = new List<string>();
        ring.Load(_path, errors);
        Assert.Contains(errors, error => error.Contains(":2:35: unknown key 'wieght'. Did you mean 'weight'?", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("sha256 of 'b' must be 64 hex digits", StringComparison.Ordinal));
        Assert.DoesNotContain(errors, error => error.Contains("not-a-hash", StringComparison.Ordinal));   // it may be the key itself
        ring.Enter(Context(key), Account()).Dispose();
    }

    private static RequestAccount Account() => new() { Path = RouterPaths.Completions };

    private ApiKeyRing Load(string text)
    {
        File.WriteAllText(_path, text);
        var ring = new ApiKeyRing(_clock);
        var errors = new List<string>();
        ring.Load(_path, errors);
        Assert.Empty(errors);
        return ring;
    }

    private static DefaultHttpContext Context(string key)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.Authorization = $"Bearer {key}";
        return context;
    }
}
