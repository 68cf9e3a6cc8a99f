using System.CommandLine;

namespace Ferry.Cli.Commands.Cache;

/// <summary>The options that every command to a running exchange has.</summary>
internal sealed class AdminOptions
{
    private const string AddressVariable = "FERRY_CACHE_ADMIN";
    private const string TokenVariable = "FERRY_ADMIN_TOKEN";

    private readonly Option<string> _address = new("--admin")
    {
        Description = $"Admin address of the exchange; {AddressVariable} if left out.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(AddressVariable) ?? "127.0.0.1:6391",
    };

    private readonly Option<string?> _tokenFile = new("--admin-token-file") { Description = $"File with the admin token; {TokenVariable} if left out." };

    private readonly Option<bool> _json = new("--json") { Description = "As JSON." };

    public void AddTo(Command command)
    {
        command.Options.Add(_address);
        command.Options.Add(_tokenFile);
        command.Options.Add(_json);
    }

    public bool IsJson(ParseResult result) => result.GetValue(_json);

    /// <exception cref="UsageException">Address or token file are not usable.</exception>
    public AdminClient Connect(ParseResult result)
    {
        var text = result.GetValue(_address)!;
        if (!Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : $"http://{text}", UriKind.Absolute, out var address) || address.AbsolutePath != "/")
        {
            throw new UsageException($"--admin is '{text}'; write HOST:PORT, for example 127.0.0.1:6391.");
        }
        return new AdminClient(address, ReadToken(result.GetValue(_tokenFile)));
    }

    private static string? ReadToken(string? file)
    {
        if (file is null)
        {
            return Environment.GetEnvironmentVariable(TokenVariable);
        }
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--admin-token-file {file} cannot be read: {exception.Message}");
        }
    }
}
