namespace Ferry.Router.Security;

/// <summary>Whose request it is: the owner of an API key, or everybody where no keys are configured.</summary>
/// <param name="Name">For metrics, logs and fairness.</param>
/// <param name="Weight">Share of the router when tenants queue; 2 gets twice what 1 gets.</param>
/// <param name="IsAuthenticated">The client's Authorization header held this router's key: it must not be sent on to nodes.</param>
public sealed record Tenant(string Name, double Weight = 1, bool IsAuthenticated = false)
{
    /// <summary>The one tenant of a router without keys.</summary>
    public static Tenant Anonymous { get; } = new("anonymous");

    /// <summary>Least priority number that it may ask for.</summary>
    public int LeastPriority { get; init; } = int.MinValue;

    /// <summary>What it may use; null: no limits.</summary>
    internal TenantLimits? Limits { get; init; }
}
