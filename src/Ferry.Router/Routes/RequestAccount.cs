using Ferry.Router.Security;
using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Routes;

/// <summary>Whose request it is, and what is to be said of it when it is over: one log line. Filled by whoever knows; one request's tasks only.</summary>
internal sealed class RequestAccount
{
    /// <summary>Set when the key was checked.</summary>
    public Tenant Tenant { get; set; } = Tenant.Anonymous;

    /// <summary>For metrics.</summary>
    public required string Path { get; init; }

    /// <summary>As the nodes know it.</summary>
    public string RequestId { get; set; } = "-";

    public string Prefill { get; set; } = "-";

    public string Decode { get; set; } = "-";

    /// <summary>Time of the first leg, all tries together.</summary>
    public TimeSpan PrefillTime { get; set; }

    /// <summary>yes, or no(reason); see <see cref="RouteHeader"/>.</summary>
    public string Handover { get; set; } = "-";

    public int? PromptTokens { get; set; }

    public int? CachedTokens { get; set; }

    /// <summary>Events with output, or tokens where the answer counts them.</summary>
    public int? OutputTokens { get; set; }

    /// <summary>Legs beyond the first of each kind.</summary>
    public int Retries { get; set; }

    /// <summary>ok, client-gone, or what failed.</summary>
    public string Outcome { get; set; } = "ok";

    /// <summary>The one of this request; made when first asked for.</summary>
    public static RequestAccount Of(HttpContext context)
    {
        if (context.Features.Get<RequestAccount>() is { } account)
        {
            return account;
        }
        account = new RequestAccount { Path = RouterPaths.Of(context.Request) };
        context.Features.Set(account);
        return account;
    }
}
