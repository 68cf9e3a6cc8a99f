using Ferry.Cache.Remote.S3;
using Ferry.Cache.Tiers;
using Ferry.TestKit;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Lab;

namespace Ferry.IntegrationTests.Remote.S3;

/// <summary>Keys that a token service gives for a web identity (AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN), used against a real Ceph.</summary>
[Collection(CephFixture.Collection)]
public sealed class S3WebIdentityTests : IAsyncDisposable
{
    private const string Role = "arn:aws:iam:::role/kv-writer";
    private const string Token = "eyJhbGciOiJSUzI1NiJ9.first-identity.token";

    private readonly CephFixture _ceph;
    private readonly TokenService _service = new() { Keys = (CephLab.AccessKey, CephLab.SecretKey, "") };
    private readonly string _tokenFile = Path.GetTempFileName();
    private readonly Dictionary<string, string> _environment;

    public S3WebIdentityTests(CephFixture ceph)
    {
        _ceph = ceph;
        File.WriteAllText(_tokenFile, Token + "\n");
        _environment = new Dictionary<string, string>
        {
            ["AWS_WEB_IDENTITY_TOKEN_FILE"] = _tokenFile,
            ["AWS_ROLE_ARN"] = Role,
            ["AWS_ROLE_SESSION_NAME"] = "node-7",
            ["AWS_ENDPOINT_URL_STS"] = _service.Endpoint,
            ["HOME"] = Path.GetTempPath(),
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        File.Delete(_tokenFile);
    }

    private S3Tier Open() => CephFixture.Open(CephFixture.Options(_ceph.Location()) with { Environment = _environment.GetValueOrDefault, RequestDeadline = TimeSpan.FromSeconds(1) });

    private static Task<TierPutOutcome> PutAsync(S3Tier tier, int number)
    {
        var (header, record) = TestRecords.Record(number, TestRecords.Layout());
        return tier.PutAsync(header, record, CancellationToken.None);
    }

    private async Task<string> FailsAsync(params string[] says)
    {
        await using var tier = Open();
        var error = await Assert.ThrowsAsync<S3TierException>(() => PutAsync(tier, 1));
        Assert.All(says, said => Assert.Contains(said, error.Message));
        Assert.DoesNotContain("first-identity", error.ToString());
        Assert.DoesNotContain("stranger", error.ToString());
        Assert.DoesNotContain(CephLab.SecretKey, error.ToString());
        return error.Message;
    }

    [Fact]
    public async Task PutAndFind_KeysOfTheTokenService_AreAskedForOnceAndWork()
    {
        await using var tier = Open();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(number => PutAsync(tier, number)));
        Assert.Single(await tier.FindAsync(TestRecords.Key(3), CancellationToken.None));
        var asked = Assert.Single(_service.Asked);
        Assert.Equal(("AssumeRoleWithWebIdentity", "2011-06-15", Role, "node-7", Token), (asked["Action"], asked["Version"], asked["RoleArn"], asked["RoleSessionName"], asked["WebIdentityToken"]));
    }

    [Fact]
    public async Task Put_KeysThatEndSoon_AreAskedForAgainWithTheTokenOfNow()
    {
        _service.Lifetime = TimeSpan.FromSeconds(30);
        await using var tier = Open();
        Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, 1));
        File.WriteAllText(_tokenFile, "second");
        await Eventually.TrueAsync(async () =>
        {
            await tier.FindAsync(TestRecords.Key(1), CancellationToken.None);
            return _service.Asked.Any(asked => asked["WebIdentityToken"] == "second");
        }, "the token was not read again");
    }

    [Fact]
    public async Task Put_ServiceRefuses_NamesRoleServiceCodeAndFileAndNoSecret()
    {
        _service.Refusal = (400, "InvalidIdentityToken");
        await FailsAsync(Role, _service.Endpoint, "it answered 400 InvalidIdentityToken", _tokenFile, "still valid");
    }

    [Fact]
    public async Task Put_ServiceHangs_FailsByTheDeadlineAndSaysWho()
    {
        _service.Hang = new TaskCompletionSource();
        await FailsAsync(_service.Endpoint, "did not answer within 1 s");
    }

    [Fact]
    public async Task Put_NoServiceThere_SaysWhichSettingNamesIt()
    {
        _environment["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:9";
        await FailsAsync("http://127.0.0.1:9", "could not be asked", "AWS_ENDPOINT_URL_STS");
        _environment["AWS_ENDPOINT_URL_STS"] = "sts.example";
        await FailsAsync("AWS_ENDPOINT_URL_STS is \"sts.example\"");
    }

    [Fact]
    public async Task Put_ServiceNotNamed_AsksTheGatewayItself()
    {
        _environment.Remove("AWS_ENDPOINT_URL_STS");
        await FailsAsync($"the token service at http://127.0.0.1:{_ceph.Lab.GatewayPort()}: it answered 4"); // Ceph knows neither role nor issuer, and says so.
    }

    [Fact]
    public async Task Put_RoleOrTokenMissing_SaysWhich()
    {
        File.WriteAllText(_tokenFile, " \n");
        await FailsAsync(_tokenFile, "empty");
        File.Delete(_tokenFile);
        await FailsAsync(_tokenFile, "cannot be read");
        _environment.Remove("AWS_ROLE_ARN");
        await FailsAsync("AWS_ROLE_ARN is not");
    }

    [Fact]
    public async Task Put_KeysInTheEnvironmentToo_AsksNobody()
    {
        _environment["AWS_ACCESS_KEY_ID"] = CephLab.AccessKey;
        _environment["AWS_SECRET_ACCESS_KEY"] = CephLab.SecretKey;
        await using var tier = Open();
        Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, 1));
        Assert.Empty(_service.Asked);
    }
}
