# SPDX-License-Identifier: Apache-2.0
"""A service on the session bus that says its own number, and the one its caller has."""
import os
import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus()


class Service(dbus.service.Object):
    @dbus.service.method("org.example.Service", out_signature="s", sender_keyword="sender")
    def Whoami(self, sender=None):
        daemon = bus.get_object("org.freedesktop.DBus", "/org/freedesktop/DBus")
        caller = daemon.GetConnectionUnixProcessID(sender)
        with open("/proc/%d/comm" % caller) as f:
            return "%s calls %d" % (f.read().strip(), os.getpid())


name = dbus.service.BusName("org.example.Service", bus)
Service(bus, "/")
GLib.MainLoop().run()
