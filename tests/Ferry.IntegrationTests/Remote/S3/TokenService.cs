using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Web;

namespace Ferry.IntegrationTests.Remote.S3;

/// <summary>A token service (STS) on loopback that gives out the keys it was told, or fails as it was told.</summary>
internal sealed class TokenService : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _serving;

    public TokenService()
    {
        for (var port = 23_000 + Environment.ProcessId % 1000; ; port++)
        {
            try
            {
                _listener.Prefixes.Clear();
                _listener.Prefixes.Add($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}/");
                _listener.Start();
                Endpoint = $"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}";
                break;
            }
            catch (HttpListenerException) when (port < 24_500)
            {
                // Taken.
            }
        }
        _serving = ServeAsync();
    }

    public string Endpoint { get; }

    /// <summary>What was asked, first request first.</summary>
    public ConcurrentQueue<Dictionary<string, string>> Asked { get; } = new();

    public (string AccessKey, string SecretKey, string SessionToken) Keys { get; set; }

    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Status, code and body's text in place of keys.</summary>
    public (int Status, string Code)? Refusal { get; set; }

    /// <summary>Awaited before an answer, while set.</summary>
    public TaskCompletionSource? Hang { get; set; }

    public async ValueTask DisposeAsync()
    {
        Hang?.TrySetResult();
        _listener.Stop();
        await _serving;
        _listener.Close();
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            using (var reader = new StreamReader(context.Request.InputStream))
            {
                var form = HttpUtility.ParseQueryString(await reader.ReadToEndAsync());
                Asked.Enqueue(form.AllKeys.ToDictionary(name => name!, name => form[name]!));
            }
            if (Hang is { } hang)
            {
                await hang.Task;
            }
            var (status, body) = Refusal is { } refusal
                ? (refusal.Status, $"<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Code>{refusal.Code}</Code><Message>the words of a stranger</Message></Error></ErrorResponse>")
                : (200, "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult><Credentials>"
                    + $"<AccessKeyId>{Keys.AccessKey}</AccessKeyId><SecretAccessKey>{Keys.SecretKey}</SecretAccessKey><SessionToken>{Keys.SessionToken}</SessionToken>"
                    + $"<Expiration>{DateTimeOffset.UtcNow + Lifetime:yyyy-MM-ddTHH:mm:ssZ}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>");
            context.Response.StatusCode = status;
            var bytes = Encoding.UTF8.GetBytes(body);
            try
            {
                await context.Response.OutputStream.WriteAsync(bytes);
                context.Response.Close();
            }
            catch (Exception error) when (error is HttpListenerException or IOException or ObjectDisposedException)
            {
                // Whoever asked has gone.
            }
        }
    }
}
