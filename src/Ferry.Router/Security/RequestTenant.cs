using Microsoft.AspNetCore.Http;

namespace Ferry.Router.Security;

/// <summary>The tenant of an HTTP request: set once, when its key was checked.</summary>
public static class RequestTenant
{
    public static Tenant Of(HttpContext context) => context.Features.Get<Tenant>() ?? Tenant.Anonymous;

    internal static void Set(HttpContext context, Tenant tenant) => context.Features.Set(tenant);
}
