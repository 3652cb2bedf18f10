"""EBS volumes as files: what moto calls attached appears in the machine as the device that EC2 would give it."""

import fcntl
import os
import stat
import subprocess
import threading

ATTACHING = 1.0  # seconds until the kernel sees a volume that EC2 calls attached


class Volumes:
    """The files, and the loop devices that stand for NVMe devices."""

    def __init__(self, work, machine_by_id):
        self.folder = work / "volumes"
        self.folder.mkdir()
        self.machine_by_id = machine_by_id
        self.loops = {}

    def listen(self, wire):
        wire.after("AttachVolume", lambda call: self.attach_soon(**names(call)))
        wire.after("DetachVolume", lambda call: self.detach(**names(call)))

    def attach_soon(self, volume, instance):
        threading.Timer(ATTACHING, self.attach, (volume, instance)).start()

    def attach(self, volume, instance):
        """Puts the device where Amazon Linux has it: the NVMe device, and a link that carries the volume's id."""
        machine = self.machine_by_id(instance)
        if machine is None or not machine.alive:
            return
        device, link = self.places(machine, volume)
        if not device.exists():
            os.mknod(device, stat.S_IFBLK | 0o660, os.fstat(self.loop(volume)).st_rdev)
        link.unlink(missing_ok=True)
        link.symlink_to("../../nvme1n1")

    def detach(self, volume, instance):
        machine = self.machine_by_id(instance)
        if machine is not None and machine.alive:
            for place in self.places(machine, volume):
                place.unlink(missing_ok=True)

    @staticmethod
    def places(machine, volume):
        dev = machine.path("/dev")
        return dev / "nvme1n1", dev / f"disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume.replace('-', '')}"

    def loop(self, volume):
        """The open loop device of a volume. Nothing else keeps it: when its last user ends, the kernel frees it."""
        if volume not in self.loops:
            file = self.folder / f"{volume}.img"
            if not file.exists():
                subprocess.run(["truncate", "--size=4G", file], check=True)
            device = subprocess.run(["losetup", "--find", "--show", file], capture_output=True, text=True, check=True).stdout.strip()
            self.loops[volume] = os.open(device, os.O_RDWR | os.O_CLOEXEC)
            second = os.open(device, os.O_RDWR | os.O_CLOEXEC)  # a device with one user only would be freed now
            fcntl.ioctl(second, LOOP_CLR_FD)
            os.close(second)
        return self.loops[volume]

    def blank_next(self, volume):
        """The next machine finds this volume empty, as if it was lost and made anew."""
        if volume in self.loops:
            os.close(self.loops.pop(volume))
        (self.folder / f"{volume}.img").unlink(missing_ok=True)


LOOP_CLR_FD = 0x4C01  # linux/loop.h: frees a device that is in use when its last user closes it


def names(call):
    return {"volume": call.parameters["VolumeId"], "instance": call.parameters["InstanceId"]}
