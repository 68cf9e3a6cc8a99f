namespace Ferry.Engine.Kernels;

/// <summary>A fixed set of threads that share the tasks of one job at a time. The caller's own thread is worker 0.</summary>
/// <remarks>
/// Which worker runs a task is left to chance; nothing that is computed may depend on it. A worker without work spins for a
/// moment, because the next job of a step follows within microseconds, and then sleeps: an idle engine uses no CPU.
/// One job at a time: <see cref="Run"/> is called by one thread only.
/// </remarks>
internal sealed class WorkerPool : IDisposable
{
    // About 20 µs on a 3 GHz core (a pause is some 40 cycles there): longer than the serial work between two jobs of a step.
    private const int SpinsBeforeSleep = 1500;

    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _wakeUp = new(0);
    private readonly ManualResetEventSlim _finished = new(false, spinCount: 0);
    private volatile Job? _job;
    private int _sleeping;
    private volatile bool _disposed;

    /// <param name="workerCount">Threads that compute, the caller's included; 1 starts none.</param>
    public WorkerPool(int workerCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workerCount, 1);
        WorkerCount = workerCount;
        _threads = new Thread[workerCount - 1];
        for (int index = 0; index < _threads.Length; index++)
        {
            int worker = index + 1;
            _threads[index] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"ferry-kernel-{worker}" };
            _threads[index].Start();
        }
    }

    public int WorkerCount { get; }

    /// <summary>Runs <paramref name="body"/> for every task from 0 to <paramref name="taskCount"/> - 1 and returns when all have ended.</summary>
    /// <param name="body">Takes the task and the worker that runs it. Must not throw across a kernel: the first exception is rethrown here.</param>
    public void Run(int taskCount, Action<int, int> body)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_threads.Length == 0 || taskCount <= 1)
        {
            for (int task = 0; task < taskCount; task++)
            {
                body(task, 0);
            }
            return;
        }
        // A new object for each job: a worker that wakes late holds the old one and finds it used up.
        var job = new Job(body, taskCount);
        _job = job;
        Interlocked.MemoryBarrier(); // The job is visible before the sleepers are counted; pairs with the one in Work.
        int sleeping = Volatile.Read(ref _sleeping);
        if (sleeping > 0)
        {
            _wakeUp.Release(Math.Min(sleeping, taskCount - 1));
        }
        RunTasks(job, 0);
        for (int spin = 0; spin < SpinsBeforeSleep && !job.IsFinished; spin++)
        {
            Thread.SpinWait(1);
        }
        while (!job.IsFinished)
        {
            _finished.Reset(); // The last job's signal may have come late.
            if (!job.IsFinished)
            {
                _finished.Wait();
            }
        }
        _job = null;
        job.ThrowIfFailed();
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        if (_threads.Length > 0)
        {
            _wakeUp.Release(_threads.Length);
        }
        foreach (var thread in _threads)
        {
            thread.Join();
        }
        _wakeUp.Dispose();
        _finished.Dispose();
    }

    private void Work(int worker)
    {
        Job? done = null;
        while (!_disposed)
        {
            var job = _job;
            for (int spin = 0; (job is null || job == done) && spin < SpinsBeforeSleep; spin++)
            {
                Thread.SpinWait(1);
                job = _job;
            }
            if (job is null || job == done)
            {
                Interlocked.Increment(ref _sleeping);
                job = _job; // A job that came before the count went up has woken nobody: look again.
                if ((job is null || job == done) && !_disposed)
                {
                    _wakeUp.Wait();
                }
                Interlocked.Decrement(ref _sleeping);
                continue;
            }
            RunTasks(job, worker);
            done = job;
        }
    }

    private void RunTasks(Job job, int worker)
    {
        while (job.TryTake(out int task))
        {
            try
            {
                job.Body(task, worker);
            }
            catch (Exception exception)
            {
                job.Failed(exception);
            }
            if (job.Complete())
            {
                _finished.Set();
            }
        }
    }

    private sealed class Job(Action<int, int> body, int taskCount)
    {
        private int _next;
        private int _completed;
        private Exception? _failure;

        public Action<int, int> Body => body;

        public bool IsFinished => Volatile.Read(ref _completed) == taskCount;

        public bool TryTake(out int task)
        {
            task = Interlocked.Increment(ref _next) - 1;
            return task < taskCount;
        }

        /// <summary>True for the last task of the job.</summary>
        public bool Complete() => Interlocked.Increment(ref _completed) == taskCount;

        public void Failed(Exception exception) => Interlocked.CompareExchange(ref _failure, exception, null);

        public void ThrowIfFailed()
        {
            if (_failure is not null)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_failure);
            }
        }
    }
}
