using Amazon.Runtime;
using Ferry.Cache.Remote.S3;
using Xunit;

namespace Ferry.UnitTests.CacheRemote.S3;

/// <summary>Where keys come from, in the standard chain's order.</summary>
public sealed class S3CredentialsTests : IDisposable
{
    private readonly DirectoryInfo _home = System.IO.Directory.CreateTempSubdirectory("ferry-home-");
    private readonly Dictionary<string, string> _environment = [];

    public S3CredentialsTests()
    {
        _environment["HOME"] = _home.FullName;
    }

    public void Dispose() => _home.Delete(recursive: true);

    private AWSCredentials? Find(string endpoint = "http://ceph:7480", string? file = null, string profile = "default") => S3Credentials.Find(
        new S3TierOptions
        {
            Location = new S3Location(new Uri(endpoint), "kvcache", "", "default", true, null),
            CredentialsFile = file,
            Profile = profile,
            Environment = _environment.GetValueOrDefault,
        },
        TimeProvider.System);

    private string Write(string name, string text)
    {
        var path = Path.Combine(_home.FullName, name);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    private static string Section(string name, string id) => $"[{name}]\naws_access_key_id = {id}\naws_secret_access_key = secret of {id}\n";

    [Fact]
    public void Find_EachOfTheChain_ComesBeforeTheNext()
    {
        var missing = Assert.Throws<S3TierException>(() => Find()!.GetCredentials());
        Assert.Contains("AWS_ACCESS_KEY_ID", missing.Message);

        Write(".aws/credentials", Section("default", "home") + Section("team", "team"));
        Assert.Equal("home", Find()!.GetCredentials().AccessKey);
        Assert.Equal(("team", "secret of team"), (Find(profile: "team")!.GetCredentials().AccessKey, Find(profile: "team")!.GetCredentials().SecretKey));

        _environment["AWS_SHARED_CREDENTIALS_FILE"] = Write("shared", Section("default", "shared"));
        Assert.Equal("shared", Find()!.GetCredentials().AccessKey);

        _environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/run/token";
        Assert.IsType<WebIdentityCredentials>(Find());

        (_environment["AWS_ACCESS_KEY_ID"], _environment["AWS_SECRET_ACCESS_KEY"]) = ("variable", "secret");
        Assert.Equal(("variable", ""), (Find()!.GetCredentials().AccessKey, Find()!.GetCredentials().Token));
        _environment["AWS_SESSION_TOKEN"] = "session";
        Assert.Equal("session", Find()!.GetCredentials().Token);

        Assert.Equal("named", Find(file: Write("named", Section("default", "named")))!.GetCredentials().AccessKey);
    }

    [Fact]
    public void Find_OnAwsOwnMachines_LeavesTheRestOfTheChainToTheSdk()
    {
        Assert.Null(Find("https://s3.eu-central-1.amazonaws.com"));
        _environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://169.254.170.23/v1/credentials";
        Assert.Null(Find());
    }
}
